package proc

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// waitFor waits for the end of a command. One that is in filch's group (foreground) is one job of a
// shell with filch: the shell sees filch only. So when the command alone stops, as a program
// does that reads the key for it from the terminal itself, filch is stopped too; and it goes on with the
// command. What the terminal sends reaches both without us.
func (s *supervisor) waitFor(pid int, foreground bool, ws *syscall.WaitStatus, ru *syscall.Rusage) error {
	options := 0
	if foreground {
		options = syscall.WUNTRACED | syscall.WCONTINUED
	}
	for stopped := false; ; {
		_, err := syscall.Wait4(pid, ws, options, ru)
		switch {
		case err == syscall.EINTR:
		case err != nil || ws.Exited() || ws.Signaled():
			return err
		case ws.Continued():
			if stopped && !s.filchIsGone() {
				unix.Kill(s.filch, unix.SIGCONT)
			}
			stopped = false
		case ws.Stopped() && isJobControl(ws.StopSignal()):
			// If it goes on already, so does filch.
			if stopped = isStopped(pid); stopped && !s.filchIsGone() {
				unix.Kill(s.filch, ws.StopSignal())
			}
		}
	}
}

// isJobControl reports whether sig is what programs and terminals stop jobs with. STOP is
// not among them: it is how somebody holds one process, and knows which.
func isJobControl(sig syscall.Signal) bool {
	return sig == syscall.SIGTSTP || sig == syscall.SIGTTIN || sig == syscall.SIGTTOU
}
