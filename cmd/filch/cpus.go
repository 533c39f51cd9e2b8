package main

import (
	"runtime"

	"github.com/filchsched/filch/topology"
)

// usableCPUs is how many CPUs this process may keep busy: those of its affinity
// mask, or fewer if the quota of its cgroup says so. The Go runtime has found that out
// already when it set GOMAXPROCS, except that it never goes below 2; reading the
// whole machine takes longer than starting a command does, so that is done only
// where the runtime may have rounded up.
func usableCPUs() int {
	const roundedTo = 2
	n := runtime.GOMAXPROCS(0)
	if n == roundedTo && runtime.NumCPU() > roundedTo {
		if t, err := topology.Read(); err == nil {
			return t.Workers()
		}
	}
	return n
}
