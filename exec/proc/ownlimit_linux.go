package proc

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// MemoryLimit is how much memory, in bytes, the cgroup of this process and those around it
// allow; math.MaxInt64 if they set no bound, or none that can be seen from here.
func MemoryLimit() int64 {
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	membership, _ := os.ReadFile("/proc/self/cgroup")
	c, err := findController("memory", string(mounts), string(membership))
	if err != nil {
		return math.MaxInt64
	}
	return c.memoryLimit()
}

// memoryLimit is the least limit of c's group and of those above it, up to where they are mounted.
func (c controller) memoryLimit() int64 {
	least := int64(math.MaxInt64)
	for dir := c.dir; ; dir = filepath.Dir(dir) {
		_, err := os.Stat(filepath.Join(dir, "cgroup.procs"))
		if err != nil {
			return least
		}
		text, _ := os.ReadFile(filepath.Join(dir, c.limitFile())) // version 2 has none at its root, and "max" where there is no limit
		if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil {
			least = min(least, n)
		}
		if dir == filepath.Dir(dir) {
			return least
		}
	}
}
