//go:build !linux

package proc

import "math"

// MemoryLimit is how much memory, in bytes, the cgroup of this process and those around it
// allow; math.MaxInt64 if they set no bound, or none that can be seen from here.
func MemoryLimit() int64 { return math.MaxInt64 }
