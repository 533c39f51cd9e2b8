//go:build unix

package exec

import (
	"time"

	"golang.org/x/sys/unix"
)

// processCPUTime returns the CPU time, user and system, of all threads of this
// process.
func processCPUTime() (time.Duration, bool) {
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		return 0, false
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()), true
}
