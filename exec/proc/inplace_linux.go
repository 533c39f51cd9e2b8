package proc

import (
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// inPlace is how many goroutines are in pollInPlace.
var inPlace atomic.Int32

// pollInPlace is poll, but for a moment that ends soon: the Go runtime is not told that this
// goroutine waits in the kernel, as long as that leaves it half of its places. Otherwise it would take the place of
// every command that runs for 10 ms, which keeps a thread of the runtime (sysmon) awake that looks
// for such places: 28 µs of CPU time per command.
//
// The collector has to stop us. Its signal ends the wait at once, as any signal does, which poll's
// callers are prepared for; if it comes just before the wait, it comes again.
func pollInPlace(fds []unix.PollFd, d time.Duration) error {
	defer inPlace.Add(-1)
	if int(inPlace.Add(1)) > runtime.GOMAXPROCS(0)/2 {
		return poll(fds, d)
	}
	timeout := unix.NsecToTimespec(int64(d))
	_, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&fds[0])), uintptr(len(fds)), uintptr(unsafe.Pointer(&timeout)), 0, 0, 0)
	if errno != 0 && errno != unix.EINTR {
		return errno
	}
	return nil
}
