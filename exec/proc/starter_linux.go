package proc

import (
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// newStarter returns the best starter that this system and this program have.
func newStarter() starter {
	fd, err := unix.PidfdOpen(unix.Getpid(), 0)
	switch {
	case mayReexec.Load():
		unix.Close(fd)
		return &supervisedStarter{}
	case err == nil:
		unix.Close(fd)
		return pidfdStarter{}
	}
	return portableStarter{} // Linux before 5.3, gVisor
}

// pidfdStarter starts commands with two pipes and a pidfd, and lets the
// goroutine that waits for a command move its output as well; doc.go says why.
type pidfdStarter struct{}

// A pidfdProcess is our child, with both ends of its output pipes in our hands.
type pidfdProcess struct {
	streams        // whose end is a pidfd
	number     int // of the process
	foreground bool
}

func (pidfdStarter) start(l *launch) (process, error) {
	if l.umask >= 0 {
		return nil, errNeedsSupervisor("a umask of its own")
	}
	p := &pidfdProcess{streams: newStreams(l), foreground: l.foreground}
	if err := p.open(); err != nil {
		p.release()
		return nil, cannotPipe(err)
	}
	pid, err := syscall.ForkExec(l.path, l.argv, &syscall.ProcAttr{
		Dir:   l.dir,
		Env:   l.env,
		Files: []uintptr{l.stdin.Fd(), uintptr(p.out.passed()), uintptr(p.err.passed())},
		Sys:   &syscall.SysProcAttr{Setpgid: !l.foreground, PidFD: &p.end},
	})
	runtime.KeepAlive(l)
	if err != nil {
		p.end = -1 // closed by ForkExec
		p.release()
		return nil, err
	}
	p.number = pid
	if p.end < 0 {
		return nil, p.abandon()
	}
	return p, nil
}

// abandon ends a child that came without a pidfd, which newStarter has ruled out
// unless a sandbox came down on us since.
func (p *pidfdProcess) abandon() error {
	unix.Kill(-p.number, unix.SIGKILL)
	p.reap()
	p.release()
	return &Failure{Op: "cannot watch a command", Err: unix.ENOSYS}
}

func (p *pidfdProcess) wait() (ended, error) {
	if err := p.move(); err != nil {
		p.signal(syscall.SIGKILL)
		p.reap()
		return ended{}, cannotWait(err)
	}
	return p.reap()
}

// reap collects the process, which has ended or is about to.
func (p *pidfdProcess) reap() (ended, error) {
	var ws syscall.WaitStatus
	var ru syscall.Rusage
	for {
		_, err := syscall.Wait4(p.number, &ws, 0, &ru)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return ended{}, &Failure{Op: "lost sight of a command (does something else in this process wait for children?)", Err: err}
		}
		return endedOf(ws, &ru), nil
	}
}

// pidfdSignalGroup is PIDFD_SIGNAL_PROCESS_GROUP, since Linux 6.9.
const pidfdSignalGroup = 1 << 2

// signal goes through the pidfd, which cannot mean another group even after the
// process is reaped. Older kernels take the number of the group: it cannot be
// given away while the group has a process, and an empty group is noticed within
// groupLookMax, in which the kernel would have to go once through all numbers.
func (p *pidfdProcess) signal(sig syscall.Signal) bool {
	if p.foreground {
		return signalled(unix.PidfdSendSignal(p.end, sig, nil, 0))
	}
	err := unix.PidfdSendSignal(p.end, sig, nil, pidfdSignalGroup)
	if err == unix.EINVAL {
		err = unix.Kill(-p.number, sig)
	}
	return signalled(err)
}

func (p *pidfdProcess) lives() bool { return !p.foreground && p.signal(0) && groupLives(p.number) }

func (p *pidfdProcess) pid() int { return p.number }
