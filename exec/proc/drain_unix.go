//go:build !windows

package proc

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// drains move the output of a command of the portable starter into its sinks.
type drains struct{ all []*drain }

// A drain moves one stream.
type drain struct {
	r, w *os.File
	to   sink
	done chan error // of the goroutine that moves
}

// attach gives cmd its output. begin must be called when it has started, close if it has not.
func attach(cmd *exec.Cmd, l *launch) (*drains, error) {
	d := &drains{}
	for _, s := range []struct {
		outlet
		is *io.Writer
	}{{l.out, &cmd.Stdout}, {l.err, &cmd.Stderr}} {
		if *s.is = s.file; s.file != nil {
			continue
		}
		r, w, err := os.Pipe()
		if err != nil {
			d.close()
			return nil, &Failure{Op: "cannot open a pipe for a command: " + exhaustedHint(err), Err: err}
		}
		*s.is = w // os/exec does not touch what is a file
		d.all = append(d.all, &drain{r: r, w: w, to: s.to, done: make(chan error, 1)})
	}
	return d, nil
}

func (d *drains) begin() {
	for _, s := range d.all {
		s.w.Close()
		go s.move()
	}
}

func (d *drains) close() {
	for _, s := range d.all {
		s.r.Close()
		s.w.Close()
	}
}

// release closes the reading ends. Until then what a stopped command left of its group can write
// while it tidies up, for a pipe without a reader is a signal to die.
func (d *drains) release() {
	for _, s := range d.all {
		s.r.Close()
	}
}

// move takes what comes, until all writers have closed the pipe or rest interrupts it. When the sink
// wants no more, so hears the command.
func (s *drain) move() {
	buf := scratch.Get().(*[scratchSize]byte)
	defer scratch.Put(buf)
	for {
		n, err := s.r.Read(buf[:])
		if n > 0 {
			if _, refused := s.to.Write(buf[:n]); refused != nil {
				s.r.Close()
				err = io.EOF // the sink tells of it
			}
		}
		if err != nil {
			s.done <- err
			return
		}
	}
}

// rest takes exactly what was in the pipes when the command ended, however long ago that was
// and whoever holds them open still. It returns what kept it from that.
func (d *drains) rest(error) error {
	var errs []error
	for _, s := range d.all {
		errs = append(errs, s.rest())
	}
	return errors.Join(errs...)
}

func (s *drain) rest() error {
	s.r.SetReadDeadline(time.Now())
	switch err := <-s.done; {
	case err == io.EOF:
		return nil
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return err
	}
	s.r.SetReadDeadline(time.Time{})
	raw, err := s.r.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Read(func(fd uintptr) bool {
		failed = s.takeRest(int(fd))
		return true
	})
	return errors.Join(err, failed)
}

// pipeMax is more than a pipe holds, unless root said otherwise. What comes after so much was written
// after the command ended, by something that it left behind.
const pipeMax = 1 << 20

// takeRest reads until the pipe is empty.
func (s *drain) takeRest(fd int) error {
	buf := scratch.Get().(*[scratchSize]byte)
	defer scratch.Put(buf)
	for left := pipeMax; left > 0; {
		n, err := syscall.Read(fd, buf[:])
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN || n == 0 && err == nil:
			return nil
		case err != nil:
			return err
		}
		if _, refused := s.to.Write(buf[:n]); refused != nil {
			return nil
		}
		left -= n
	}
	return nil
}
