//go:build !linux

package steal

import "time"

// monotonic is Go's own clock. On macOS and Windows it stands still while the machine sleeps:
// a node that wakes up takes its leases to be as young as before, until the first
// heartbeat is answered or refused.
func monotonic() time.Duration { return time.Since(started) }

var started = time.Now()
