package proc

import (
	"time"

	"golang.org/x/sys/unix"
)

// A pipe is one output stream on its way to a sink. We keep the write end open
// too: then a stream that the command closes is no event, and the end of the
// command wakes us once, not three times.
type pipe struct {
	r, w int // -1 when closed, and for good if the command writes to a file by itself
	outlet
}

// streams are the output of a running command, and how its end becomes known.
type streams struct {
	end      int // a descriptor that is readable when the command has ended
	paused   bool
	out, err pipe
}

func newStreams(l *launch) streams {
	return streams{end: -1, out: pipe{-1, -1, l.out}, err: pipe{-1, -1, l.err}}
}

// open makes the pipes. After an error release closes what there is.
func (s *streams) open() error {
	for _, p := range []*pipe{&s.out, &s.err} {
		if p.file != nil {
			continue
		}
		var fds [2]int
		if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
			return err
		}
		p.r, p.w = fds[0], fds[1]
	}
	return nil
}

// passed is the descriptor that the command gets.
func (p *pipe) passed() int {
	if p.file != nil {
		return int(p.file.Fd())
	}
	return p.w
}

// shut closes the pipe, so that the command hears that nobody wants more.
func (p *pipe) shut() {
	unix.Close(p.r)
	unix.Close(p.w)
	p.r, p.w = -1, -1
}

// release closes everything.
func (s *streams) release() {
	for _, fd := range []int{s.end, s.out.r, s.out.w, s.err.r, s.err.w} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

func cannotPipe(err error) error {
	return &Failure{Op: "cannot open a pipe for a command: " + exhaustedHint(err), Err: err}
}

func cannotWait(err error) error {
	return &Failure{Op: "cannot wait for a command (it was killed)", Err: err}
}

// move sleeps in ppoll until the process has ended or has printed something, and
// takes what it printed.
//
// In between it lets a command that prints little print on: it waits for the
// end only, for a pause that adapts to how full the pipes were. Without that,
// every line of a chatty command wakes us and takes the core from it.
func (s *streams) move() error {
	fds := [3]unix.PollFd{
		{Fd: int32(s.end), Events: unix.POLLIN},
		{Events: unix.POLLIN},
		{Events: unix.POLLIN},
	}
	for pause := pauseFirst; ; {
		fds[1].Fd, fds[2].Fd = int32(s.out.r), int32(s.err.r)
		err := s.pause(fds[:1], pause)
		if err == nil && fds[0].Revents == 0 {
			err = poll(fds[:], forever)
		}
		if err != nil {
			return err
		}
		if fds[0].Revents != 0 {
			break
		}
		most := 0
		if fds[1].Revents != 0 {
			most = s.out.move()
		}
		if fds[2].Revents != 0 {
			most = max(most, s.err.move())
		}
		pause = nextPause(pause, most)
	}
	s.out.moveRest()
	s.err.moveRest()
	return nil
}

const (
	// pauseFirst covers the whole life of a short command that shares its core with another.
	pauseFirst = 3 * time.Millisecond
	// pauseMax bounds how late output that just lies in the pipe arrives here.
	pauseMax = 4 * time.Millisecond
	// pauseMin: below it, sleeping takes longer than the pause.
	pauseMin = 50 * time.Microsecond

	forever = time.Duration(-1)
)

// pause waits for the end alone, the first time in our place in the Go scheduler if that can be.
func (s *streams) pause(fds []unix.PollFd, d time.Duration) error {
	if s.paused {
		return poll(fds, d)
	}
	s.paused = true
	return pollInPlace(fds, d)
}

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
			if _, err := s.to.Write(buf[:n]); err != nil {
				s.shut()
			}
		}
		return max(n, 0)
	}
}

// moveRest takes exactly what is in the pipe now. Processes that the command
// left behind may go on writing; that is no longer its output.
func (s *pipe) moveRest() {
	left, err := unix.IoctlGetInt(s.r, unix.TIOCINQ) // FIONREAD
	for err == nil && left > 0 && s.r >= 0 {
		n := s.move()
		if n == 0 {
			return
		}
		left -= n
	}
}
