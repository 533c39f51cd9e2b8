package proc

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A pipe is one output stream on its way to a spool. We keep the write end open
// too: then a stream that the command closes is no event, and the end of the
// command wakes us once, not three times.
type pipe struct {
	r, w int
	to   *spool
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
