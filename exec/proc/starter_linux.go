package proc

import (
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// newStarter returns the fastest starter that this system has.
func newStarter() starter {
	if fd, err := unix.PidfdOpen(unix.Getpid(), 0); err == nil {
		unix.Close(fd)
		return pidfdStarter{}
	}
	return portableStarter{} // Linux before 5.3, gVisor
}

// pidfdStarter starts commands with two pipes and a pidfd, and lets the
// goroutine that waits for a command move its output as well; doc.go says why.
type pidfdStarter struct{}

// A pidfdProcess is a child with both ends of its output pipes in our hands.
type pidfdProcess struct {
	pid      int
	fd       int // pidfd; readable when the process has ended
	out, err pipe
}

func (pidfdStarter) start(l *launch) (process, error) {
	p := &pidfdProcess{fd: -1, out: pipe{-1, -1, l.out}, err: pipe{-1, -1, l.err}}
	if err := p.open(); err != nil {
		p.release()
		return nil, &Failure{Op: "cannot open a pipe for a command's output: " + exhaustedHint(err), Err: err}
	}
	pid, err := syscall.ForkExec(l.path, l.argv, &syscall.ProcAttr{
		Dir:   l.dir,
		Env:   l.env,
		Files: []uintptr{l.stdin.Fd(), uintptr(p.out.w), uintptr(p.err.w)},
		Sys:   &syscall.SysProcAttr{Setpgid: true, PidFD: &p.fd},
	})
	runtime.KeepAlive(l.stdin)
	if err != nil {
		p.fd = -1 // closed by ForkExec
		p.release()
		return nil, err
	}
	p.pid = pid
	if p.fd < 0 {
		return nil, p.abandon()
	}
	return p, nil
}

func (p *pidfdProcess) open() error {
	for _, s := range []*pipe{&p.out, &p.err} {
		var fds [2]int
		if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
			return err
		}
		s.r, s.w = fds[0], fds[1]
	}
	return nil
}

// abandon ends a child that came without a pidfd, which newStarter has ruled out
// unless a sandbox came down on us since.
func (p *pidfdProcess) abandon() error {
	unix.Kill(-p.pid, unix.SIGKILL)
	p.reap()
	p.release()
	return &Failure{Op: "cannot watch a command", Err: unix.ENOSYS}
}

func (p *pidfdProcess) release() {
	for _, fd := range []int{p.fd, p.out.r, p.out.w, p.err.r, p.err.w} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// reap collects the process, which has ended or is about to.
func (p *pidfdProcess) reap() (ended, error) {
	var ws syscall.WaitStatus
	var ru syscall.Rusage
	for {
		_, err := syscall.Wait4(p.pid, &ws, 0, &ru)
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
	err := unix.PidfdSendSignal(p.fd, sig, nil, pidfdSignalGroup)
	if err == unix.EINVAL {
		err = unix.Kill(-p.pid, sig)
	}
	return err == nil || err == unix.EPERM
}

func (p *pidfdProcess) lives() bool { return p.signal(0) && groupLives(p.pid) }
