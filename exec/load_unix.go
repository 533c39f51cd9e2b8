//go:build unix

package exec

import (
	"runtime/metrics"
	"time"

	"golang.org/x/sys/unix"
)

// processLoad returns the CPU time, user and system, of all threads of this
// process, and how many goroutines other than the caller run or could run.
func processLoad() (cpu time.Duration, runnable int, ok bool) {
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		return 0, 0, false
	}
	s := []metrics.Sample{
		{Name: "/sched/goroutines/running:goroutines"},
		{Name: "/sched/goroutines/runnable:goroutines"},
	}
	metrics.Read(s)
	for i := range s {
		if s[i].Value.Kind() == metrics.KindUint64 {
			runnable += int(s[i].Value.Uint64())
		}
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()), max(0, runnable-1), true
}
