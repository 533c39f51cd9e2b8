//go:build unix

package main

import "golang.org/x/sys/unix"

const (
	// jobsCeiling bounds -j 0. Commands beyond it gain nothing on any machine we
	// know, and each costs memory here.
	jobsCeiling = 4096
	// filesPerJob is what a running command may have open in this process:
	// two pipes, two files that output spills to, a process handle, and some air.
	filesPerJob = 8
	// filesReserved are for everything else.
	filesReserved = 64
)

// mostJobs is the largest number of commands that may run at once within the
// limits of this process.
func mostJobs() int {
	most := uint64(jobsCeiling)
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &l) == nil {
		most = min(most, (max(uint64(l.Cur), filesReserved+filesPerJob)-filesReserved)/filesPerJob)
	}
	return int(most)
}
