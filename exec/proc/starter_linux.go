package proc

import (
	"runtime"
	"syscall"
	"time"

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

// A pipe is one output stream on its way to a spool. We keep the write end open
// too: then a stream that the command closes is no event, and the end of the
// command wakes us once, not three times.
type pipe struct {
	r, w int
	to   *spool
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

// wait sleeps in ppoll until the process has ended or has printed something.
//
// In between it lets a command that prints little print on: it waits for the
// end only, for a pause that adapts to how full the pipes were. Without that,
// every line of a chatty command wakes us and takes the core from it.
func (p *pidfdProcess) wait() (ended, error) {
	fds := [3]unix.PollFd{
		{Fd: int32(p.fd), Events: unix.POLLIN},
		{Fd: int32(p.out.r), Events: unix.POLLIN},
		{Fd: int32(p.err.r), Events: unix.POLLIN},
	}
	for pause := pauseFirst; ; {
		err := poll(fds[:1], pause)
		if err == nil && fds[0].Revents == 0 {
			err = poll(fds[:], forever)
		}
		if err != nil {
			return ended{}, p.fail(err)
		}
		if fds[0].Revents != 0 {
			break
		}
		most := 0
		if fds[1].Revents != 0 {
			most = p.out.move()
		}
		if fds[2].Revents != 0 {
			most = max(most, p.err.move())
		}
		pause = nextPause(pause, most)
	}
	p.out.moveRest()
	p.err.moveRest()
	return p.reap()
}

// fail ends a process that we cannot wait for any more.
func (p *pidfdProcess) fail(err error) error {
	p.signal(syscall.SIGKILL)
	p.reap()
	return &Failure{Op: "cannot wait for a command (it was killed)", Err: err}
}

const (
	// pauseFirst covers the whole life of a short command.
	pauseFirst = time.Millisecond
	// pauseMax bounds how late output that just lies in the pipe arrives here.
	pauseMax = 4 * time.Millisecond
	// pauseMin: below it, sleeping takes longer than the pause.
	pauseMin = 50 * time.Microsecond

	forever = time.Duration(-1)
)

// nextPause shrinks the pause after which a pipe was full, because the command may
// have had to wait for us, and lets it grow when there was little in it.
func nextPause(pause time.Duration, got int) time.Duration {
	switch {
	case got >= scratchSize*15/16:
		pause /= 4
	case got < scratchSize/4:
		pause = min(pauseMax, pause*2+pauseMin)
	}
	return pause
}

// poll waits for an event on fds, for at most d. Below pauseMin it returns at once.
func poll(fds []unix.PollFd, d time.Duration) error {
	var timeout *unix.Timespec
	if d != forever {
		if d < pauseMin {
			return nil
		}
		ts := unix.NsecToTimespec(int64(d))
		timeout = &ts
	}
	for {
		_, err := unix.Ppoll(fds, timeout, nil)
		if err != unix.EINTR {
			return err
		}
		if timeout != nil {
			return nil // a signal cut the pause short, which does no harm
		}
	}
}

// move takes what is in the pipe, at most a scratch full, and returns how much
// that was. It does not block when poll said that there is something.
func (s *pipe) move() int {
	buf := scratch.Get().(*[scratchSize]byte)
	defer scratch.Put(buf)
	for {
		n, err := unix.Read(s.r, buf[:])
		if err == unix.EINTR {
			continue
		}
		if n > 0 {
			s.to.Write(buf[:n])
		}
		return max(n, 0)
	}
}

// moveRest takes exactly what is in the pipe now. Processes that the command
// left behind may go on writing; that is no longer its output.
func (s *pipe) moveRest() {
	left, err := unix.IoctlGetInt(s.r, unix.TIOCINQ) // FIONREAD
	for err == nil && left > 0 {
		n := s.move()
		if n == 0 {
			return
		}
		left -= n
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
