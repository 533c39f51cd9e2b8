package proc

import (
	"os"
	"syscall"
	"time"
)

const sigCONT = syscall.Signal(0)

func ownGroup() *syscall.SysProcAttr { return nil }

// signalOne is signalGroup: the group is one process.
func signalOne(p *os.Process, sig syscall.Signal) bool { return signalGroup(p, sig) }

// signalGroup ends the one process at KILL; there are no groups, and TERM has no
// counterpart. Nothing is left that could be seen.
func signalGroup(p *os.Process, sig syscall.Signal) bool {
	return sig == syscall.SIGKILL && p.Kill() == nil
}

func endedOf(ws syscall.WaitStatus, ru *syscall.Rusage) ended {
	e := ended{exit: ws.ExitStatus()}
	if ru != nil {
		e.user = time.Duration(ru.UserTime.Nanoseconds())
		e.system = time.Duration(ru.KernelTime.Nanoseconds())
	}
	return e
}
