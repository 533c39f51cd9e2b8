package proc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// supervisedStarter has a supervisor start commands. It starts that when
// the first command comes, and another one when that was killed.
type supervisedStarter struct {
	env []string // the supervisor's

	mu     sync.Mutex // guards the rest
	line   *line      // nil before the first command
	closed bool
}

// A supervisedProcess is a child of the supervisor. Its output pipes are in our hands, and its
// end comes as a finished on the report pipe.
type supervisedProcess struct {
	streams
	pid  int
	line *line
}

func (s *supervisedStarter) start(l *launch) (process, error) {
	p := &supervisedProcess{streams: newStreams(l)}
	p.end = -1
	if err := p.open(); err != nil {
		p.release()
		return nil, cannotPipe(err)
	}
	err := s.request(l, p)
	runtime.KeepAlive(l.stdin)
	if err == nil {
		err = p.awaitStart(l)
	}
	if err != nil {
		p.release()
		return nil, err
	}
	return p, nil
}

// request sends l to the supervisor, and to a new one if that turns out to be dead.
func (s *supervisedStarter) request(l *launch, p *supervisedProcess) error {
	var report [2]int
	if err := unix.Pipe2(report[:], unix.O_CLOEXEC); err != nil {
		return cannotPipe(err)
	}
	p.end = report[0]
	defer unix.Close(report[1])
	fds := []int{passedStdin: int(l.stdin.Fd()), passedStdout: p.out.w, passedStderr: p.err.w, passedReport: report[1]}
	packet, file, err := pack(l)
	if err != nil {
		return &Failure{Op: "cannot pass a long command line to the supervisor", Err: err}
	}
	if file >= 0 {
		defer unix.Close(file)
		fds = append(fds, file)
	}
	for {
		p.line, err = s.current()
		if err != nil {
			return &Failure{Op: "cannot start the supervisor of the commands", Err: err}
		}
		err = p.line.send(packet, fds)
		switch err {
		case nil:
			return nil
		case unix.EPIPE, unix.ECONNRESET, unix.ECONNREFUSED:
			<-p.line.gone
		default:
			return &Failure{Op: "cannot ask the supervisor for a command: " + exhaustedHint(err), Err: err}
		}
	}
}

// pack encodes l. What is too long for a packet is in file, which is the caller's to
// close, else file is -1.
func pack(l *launch) (packet []byte, file int, err error) {
	q := request{path: l.path, dir: l.dir, argv: l.argv, env: l.env, umask: -1}
	size := len(l.path) + len(l.dir)
	for _, list := range [][]string{l.argv, l.env} {
		for _, s := range list {
			size += len(s) + binary.MaxVarintLen32
		}
	}
	packet = q.append(make([]byte, 0, size+4*binary.MaxVarintLen64))
	switch {
	case len(packet) > requestMax:
		return nil, -1, unix.E2BIG
	case len(packet) <= packetMax:
		return packet, -1, nil
	}
	file, err = unix.MemfdCreate(supervisorName, unix.MFD_CLOEXEC)
	for err == nil && len(packet) > 0 {
		var n int
		n, err = unix.Write(file, packet)
		packet = packet[max(n, 0):]
	}
	if err != nil && file >= 0 {
		unix.Close(file)
	}
	return []byte(oversize), file, err
}

// current returns the line to a supervisor that is not known to be dead.
func (s *supervisedStarter) current() (*line, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.New("the Runner is closed")
	}
	if s.line != nil {
		select {
		case <-s.line.gone:
			s.line.close()
			s.line = nil
		default:
			return s.line, nil
		}
	}
	var err error
	s.line, err = newLine(s.env)
	return s.line, err
}

// Close ends the supervisor, and with it everything that commands left behind.
func (s *supervisedStarter) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.line == nil {
		return nil
	}
	return s.line.close()
}

// supervisorPatience is how long we wait for the supervisor before we think that
// somebody may have stopped it.
const supervisorPatience = time.Second

// awaitStart waits until the command runs, or is known not to.
func (p *supervisedProcess) awaitStart(l *launch) error {
	fds := []unix.PollFd{{Fd: int32(p.end), Events: unix.POLLIN}}
	for fds[0].Revents == 0 {
		if err := poll(fds, supervisorPatience); err != nil {
			return &Failure{Op: "cannot wait for the supervisor", Err: err}
		}
		if fds[0].Revents == 0 {
			p.line.wake()
		}
	}
	var st started
	if err := p.read(&st, startedSize); err != nil {
		return err
	}
	if st.Errno != 0 {
		return syscall.Errno(st.Errno)
	}
	p.pid = int(st.PID)
	return nil
}

// read takes one report. If there is none the supervisor is dead; then so are the
// commands, once read returns.
func (p *supervisedProcess) read(v any, size int) error {
	buf := make([]byte, size)
	for {
		n, err := unix.Read(p.end, buf)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return &Failure{Op: "cannot hear the supervisor", Err: err}
		case n == size:
			return binary.Read(bytes.NewReader(buf), binary.NativeEndian, v)
		case n != 0:
			return &Failure{Op: "cannot understand the supervisor", Err: fmt.Errorf("%w: %d bytes of %d", io.ErrUnexpectedEOF, n, size)}
		}
		<-p.line.gone
		return &Failure{Op: "lost a command", Err: ErrSupervisorLost}
	}
}

func (p *supervisedProcess) wait() (ended, error) {
	if err := p.move(); err != nil {
		p.signal(unix.SIGKILL)
		return ended{}, cannotWait(err)
	}
	var f finished
	if err := p.read(&f, finishedSize); err != nil {
		return ended{}, err
	}
	return f.ended(), nil
}

func (f *finished) ended() ended {
	ws := syscall.WaitStatus(f.Status)
	e := ended{user: time.Duration(f.User), system: time.Duration(f.System)}
	if f.MaxRSS > f.Floor {
		e.maxMemory = f.MaxRSS
	}
	if ws.Signaled() {
		e.sig = ws.Signal()
	} else {
		e.exit = ws.ExitStatus()
	}
	return e
}

// signal goes to the number of the group: it cannot be given away while the
// group has a process, and an empty group is noticed within groupLookMax, in which
// the kernel would have to go once through all numbers. A supervisor that somebody stopped
// would not tell us of the end, so it is woken.
func (p *supervisedProcess) signal(sig syscall.Signal) bool {
	p.line.wake()
	err := unix.Kill(-p.pid, sig)
	return err == nil || err == unix.EPERM
}

func (p *supervisedProcess) lives() bool { return p.signal(0) && groupLives(p.pid) }
