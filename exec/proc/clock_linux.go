package proc

import (
	"time"

	"golang.org/x/sys/unix"
)

// Clock is a time that all processes of this machine share, never goes back, and counts while the machine
// is suspended. Elsewhere than on Linux it is the time since this process started, without suspends.
func Clock() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) != nil {
		unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) // Linux has had the other one since 2.6.39
	}
	return time.Duration(t.Nano())
}
