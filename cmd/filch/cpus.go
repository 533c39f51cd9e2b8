package main

import (
	"runtime"

	"github.com/filchsched/filch/exec/proc"
	"github.com/filchsched/filch/topology"
)

// usableCPUs is how many CPUs this process may keep busy: those of its affinity
// mask, or fewer if the quota of its cgroup says so. The Go runtime knows as well, but
// never goes below 2.
func usableCPUs() int {
	if n := topology.WorkersNow(); n > 0 {
		return n
	}
	return runtime.GOMAXPROCS(0)
}

// usableMemory is how much memory commands may hold together, in bytes: that of
// this machine, or what our cgroup allows if that is less. Where it is not known there is no bound.
func usableMemory() int64 {
	t, err := topology.Read()
	if err != nil || t.Memory <= 0 {
		return proc.MemoryLimit()
	}
	return min(t.Memory, proc.MemoryLimit())
}
