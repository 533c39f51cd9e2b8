package proc

import (
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
	mu     sync.Mutex // guards the rest
	line   *line      // nil before the first command
	group  *runGroup  // nil before the first command, and where none can be made
	closed bool
}

// A supervisedProcess is a child of the supervisor, or about to be one. Its output pipes are in
// our hands; its end, or why it did not start, comes as a finished on the pipe end.
type supervisedProcess struct {
	streams
	line       *line
	slot       int  // on the line's board
	foreground bool // it leads no group
	untie      func()
}

func (s *supervisedStarter) start(l *launch) (process, error) {
	p := &supervisedProcess{streams: newStreams(l), foreground: l.foreground}
	err := p.open()
	if err != nil {
		err = cannotPipe(err)
	} else {
		err = s.request(l, p)
	}
	runtime.KeepAlive(l)
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
	fds := []int{passedStdin: int(l.stdin.Fd()), passedStdout: p.out.passed(), passedStderr: p.err.passed(), passedReport: report[1]}
	for _, f := range l.entrances {
		fds = append(fds, int(f.Fd()))
	}
	for {
		line, err := s.current()
		if err != nil {
			return &Failure{Op: "cannot start the supervisor of the commands" + missingProc(err), Err: err}
		}
		slot := line.board.take()
		p.untie = l.leash.onBoard(line.board, slot)
		err = line.ask(l, slot, fds)
		if err == nil {
			p.line, p.slot = line, slot
			return nil
		}
		p.untie()
		line.board.giveBack(slot)
		switch err {
		case unix.EPIPE, unix.ECONNRESET, unix.ECONNREFUSED:
			<-line.gone // nothing was started; the next one will
		default:
			return &Failure{Op: "cannot ask the supervisor for a command: " + exhaustedHint(err), Err: err}
		}
	}
}

// missingProc explains why this program could not be started once more, if it is that.
func missingProc(err error) string {
	if err == unix.ENOENT {
		return ": filch starts itself again, through /proc/self/exe (is /proc mounted?)"
	}
	return ""
}

// ask sends one request.
func (l *line) ask(c *launch, slot int, fds []int) error {
	packet, file, err := pack(c, slot)
	if err != nil {
		return err
	}
	if file >= 0 {
		defer unix.Close(file)
		fds = append(fds, file)
	}
	return l.send(packet, fds)
}

// pack encodes l. What is too long for a packet is in file, which is the caller's to
// close, else file is -1.
func pack(l *launch, slot int) (packet []byte, file int, err error) {
	q := request{path: l.path, dir: l.dir, argv: l.argv, env: l.env, slot: slot, umask: l.umask, entering: len(l.entrances), unified: l.unified}
	if l.foreground {
		q.group = unix.Getpgrp()
	}
	size := len(l.path) + len(l.dir)
	for _, list := range [][]string{l.argv, l.env} {
		for _, s := range list {
			size += len(s) + binary.MaxVarintLen32
		}
	}
	packet = q.append(make([]byte, 0, size+6*binary.MaxVarintLen64))
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
			s.group.remove() // the kernel may kill what is born in a group after cgroup.kill, too
			s.line, s.group = nil, nil
		default:
			return s.line, nil
		}
	}
	var err error
	s.group = newRunGroup()
	if s.line, err = newLine(s.group); err != nil {
		s.group.remove()
		s.group = nil
	}
	return s.line, err
}

// runGroup returns the group around the commands, nil if there is none. It starts the supervisor, if
// there is none yet: the group is made with it, and replaced with it.
func (s *supervisedStarter) runGroup() *runGroup {
	if _, err := s.current(); err != nil {
		return nil // start will say why
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.group
}

// warmUp starts the supervisor while the caller does something else. If that fails the first command
// tries again, and tells.
func (s *supervisedStarter) warmUp() { go s.current() }

// Close ends the supervisor, and with it everything that commands left behind.
func (s *supervisedStarter) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.line == nil {
		return nil
	}
	err := s.line.close()
	s.group.remove()
	return err
}

// wait returns an Errno if the command did not start.
func (p *supervisedProcess) wait() (ended, error) {
	if err := p.move(); err != nil {
		p.signal(unix.SIGKILL)
		return ended{}, cannotWait(err)
	}
	var f finished
	if err := p.read(&f); err != nil {
		return ended{}, err
	}
	if f.Errno != 0 {
		return ended{}, syscall.Errno(f.Errno)
	}
	return f.ended(), nil
}

// read takes the report. If there is none the supervisor is dead; then so are the
// commands, once read returns.
func (p *supervisedProcess) read(f *finished) error {
	var buf [finishedSize]byte
	for {
		n, err := unix.Read(p.end, buf[:])
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return &Failure{Op: "cannot hear the supervisor", Err: err}
		case n == len(buf):
			f.decode(buf[:])
			return nil
		case n != 0:
			return &Failure{Op: "cannot understand the supervisor", Err: fmt.Errorf("%w: %d bytes of %d", io.ErrUnexpectedEOF, n, len(buf))}
		}
		<-p.line.gone
		return &Failure{Op: "lost a command", Err: ErrSupervisorLost}
	}
}

func (f *finished) ended() ended {
	ws := syscall.WaitStatus(f.Status)
	e := ended{
		user: time.Duration(f.User), system: time.Duration(f.System),
		bytesRead: f.BytesRead, bytesWritten: f.BytesWritten,
		leashed: f.Leashed != 0,
	}
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

// forkPatience is how long signal waits for a fork that has begun. The kernel
// may be reading the program from a disk that is slow.
const forkPatience = time.Second

// signal goes to the number of the group: it cannot be given away while the
// group has a process, and an empty group is noticed within groupLookMax, in which
// the kernel would have to go once through all numbers. A command that has not started
// does not. A supervisor that somebody stopped would not tell us of the end, so it is woken.
func (p *supervisedProcess) signal(sig syscall.Signal) bool {
	refused := p.line.board.refuse(p.slot)
	p.line.wake()
	if refused {
		return false
	}
	for late := time.Now().Add(forkPatience); ; time.Sleep(groupLookFirst) {
		pid := p.line.board.state(p.slot)
		switch {
		case pid > 0 && p.foreground:
			return !p.ended() && signalled(unix.Kill(pid, sig))
		case pid > 0:
			return signalled(unix.Kill(-pid, sig))
		case pid == slotRefused:
			return false
		case time.Now().After(late):
			return true
		}
	}
}

// wake lets a supervisor go on that somebody has stopped.
func (p *supervisedProcess) wake() { p.line.wake() }

// ended reports whether the supervisor has told of the end. From then on the number of the
// process may be another's.
func (p *supervisedProcess) ended() bool {
	fds := []unix.PollFd{{Fd: int32(p.end), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	for err == unix.EINTR { // says nothing about the pipe
		n, err = unix.Poll(fds, 0)
	}
	return err != nil || n > 0
}

// signalled reports whether there was somebody for kill to signal.
func signalled(err error) bool { return err == nil || err == unix.EPERM }

func (p *supervisedProcess) lives() bool {
	return !p.foreground && p.signal(0) && groupLives(p.pid())
}

func (p *supervisedProcess) pid() int { return p.line.board.state(p.slot) }

func (p *supervisedProcess) release() {
	p.streams.release()
	if p.line != nil {
		p.untie()
		p.line.board.giveBack(p.slot)
	}
}
