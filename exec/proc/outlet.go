package proc

import (
	"fmt"
	"io"
	"os"
)

// An outlet is where one output stream of a command goes: into a file of the
// caller's, to which the command then writes by itself, or through us into a sink.
type outlet struct {
	file *os.File // nil: to
	to   sink
}

// A sink takes an output stream that passes through us. It belongs to one
// goroutine at a time.
type sink interface {
	// Write takes a copy of p, and blocks for as long as the command is to wait with more. After
	// an error it wants nothing more.
	io.Writer

	// failure is nil if everything arrived that the command wrote.
	failure() error

	// capture is what was kept, nil if the stream went elsewhere. It is called once, and
	// ends the sink.
	capture() *Capture
}

// outlet returns where a stream of a command goes whose Writer is w. gone is closed
// when the command was stopped, and waiting for w must have an end.
func (r *Runner) outlet(w io.Writer, gone <-chan struct{}) (outlet, error) {
	switch w := w.(type) {
	case nil:
		return outlet{to: r.newSpool()}, nil
	case *os.File:
		if w.Fd() == noFile {
			return outlet{}, &Failure{Op: "cannot give a command its output", Err: os.ErrClosed}
		}
		return outlet{file: w}, nil
	}
	return outlet{to: &live{w: w, gone: gone}}, nil
}

// capture ends the outlet.
func (o *outlet) capture() *Capture {
	if o.file != nil {
		return nil
	}
	return o.to.capture()
}

// failure says what was lost on the way.
func (o *outlet) failure() error {
	if o.file != nil {
		return nil
	}
	return o.to.failure()
}

// A live passes a stream on to a Writer while the command runs. The Writer is called in a
// goroutine of its own: one that blocks keeps the command waiting, whose pipe fills, but
// not for ever whoever stops the command.
type live struct {
	w    io.Writer
	gone <-chan struct{}

	handed  []byte      // is in w's hands while Write waits, and for good after gone
	work    chan []byte // nil before the first Write
	written chan error
	err     error
}

// Write returns when w has taken p, or when nobody waits for that any more.
func (l *live) Write(p []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	if l.work == nil {
		l.work, l.written = make(chan []byte), make(chan error, 1)
		go l.deliver(l.work)
	}
	l.handed = append(l.handed[:0], p...)
	l.work <- l.handed // the goroutine is idle
	select {
	case l.err = <-l.written:
	case <-l.gone:
		l.err = &stuckError{len(p)}
	}
	if l.err != nil {
		return 0, l.err
	}
	return len(p), nil
}

func (l *live) deliver(work <-chan []byte) {
	for p := range work {
		n, err := l.w.Write(p)
		if err == nil && n != len(p) {
			err = io.ErrShortWrite
		}
		l.written <- err
	}
}

func (l *live) failure() error {
	if l.err == nil {
		return nil
	}
	return &Failure{Op: "cannot pass on a command's output", Err: l.err}
}

func (l *live) capture() *Capture {
	if l.work != nil {
		close(l.work)
		l.work = nil
	}
	return nil
}

// A stuckError says that a Writer did not come back in time.
type stuckError struct{ bytes int }

func (e *stuckError) Error() string {
	return fmt.Sprintf("whoever it goes to took none of the next %d bytes, not even for a while after the command was stopped", e.bytes)
}
