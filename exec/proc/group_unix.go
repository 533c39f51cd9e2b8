//go:build !windows

package proc

import (
	"errors"
	"os"
	"runtime"
	"syscall"
	"time"
)

const sigCONT = syscall.SIGCONT

// ownGroup makes a command the leader of a process group.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// signalGroup signals the group that p leads and reports whether anything is
// left of it.
func signalGroup(p *os.Process, sig syscall.Signal) bool {
	err := syscall.Kill(-p.Pid, sig)
	return err == nil || err == syscall.EPERM
}

// signalOne signals p alone, unless it has been waited for.
func signalOne(p *os.Process, sig syscall.Signal) bool {
	err := p.Signal(sig)
	return err == nil || errors.Is(err, syscall.EPERM)
}

// endedOf translates what wait4 told.
func endedOf(ws syscall.WaitStatus, ru *syscall.Rusage) ended {
	e := ended{
		user:      time.Duration(ru.Utime.Nano()),
		system:    time.Duration(ru.Stime.Nano()),
		maxMemory: peakMemory(ru),
	}
	if ws.Signaled() {
		e.sig = ws.Signal()
	} else {
		e.exit = ws.ExitStatus()
	}
	return e
}

// peakMemory is the largest resident set of a child and its waited-for
// descendants, or 0 where the kernel cannot tell it from our own: a process
// takes its predecessor's peak along through exec, and before exec it was us.
func peakMemory(ru *syscall.Rusage) int64 {
	var own syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &own) != nil || ru.Maxrss <= own.Maxrss {
		return 0
	}
	return int64(ru.Maxrss) * maxrssUnit()
}

// maxrssUnit is 1 KiB, but a byte on macOS.
func maxrssUnit() int64 {
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return 1
	}
	return 1 << 10
}
