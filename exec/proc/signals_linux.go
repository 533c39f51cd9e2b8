package proc

import (
	"os/signal"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// leaveSignals takes from the Go runtime those signals for which it has a handler although it has
// no use for them: the end of a child, which would interrupt a thread each time, the preemption of goroutines,
// and others that nobody sends. What has no handler need not be reset in each child before exec, which is a
// system call per signal. They have their default again, for commands inherit that. It must be called before there is any child.
func leaveSignals() {
	for sig := syscall.Signal(1); sig <= signalMax; sig++ {
		switch {
		case sig == unix.SIGCHLD || sig == unix.SIGURG || sig == unix.SIGWINCH || sig == unix.SIGCONT:
		case sig >= signalRealtime:
		default:
			continue
		}
		signal.Ignore(sig) // the runtime forgets its handler
		var byDefault kernelSigaction
		unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&byDefault)), 0, signalSetSize, 0, 0)
	}
}

const (
	signalMax      = 64
	signalRealtime = 35 // those below are the C library's, and the Go runtime does not touch them
	signalSetSize  = signalMax / 8
)

// A kernelSigaction is at least as large as the kernel's struct sigaction is anywhere. All zeros
// mean SIG_DFL.
type kernelSigaction [8]uint64
