package steal

import (
	"time"

	"golang.org/x/sys/unix"
)

// monotonic is CLOCK_BOOTTIME: it never jumps, and it goes on while the machine sleeps, so
// that a node which wakes up knows how old its leases are.
func monotonic() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return time.Since(started) // no such clock: a kernel older than 2.6.39, or a sandbox
	}
	return time.Duration(t.Nano())
}

var started = time.Now()
