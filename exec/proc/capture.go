package proc

import (
	"errors"
	"io"
	"os"
	"strings"
)

// errCaptureClosed is what reading from a closed Capture returns.
var errCaptureClosed = errors.New("proc: the captured output was closed")

// A Capture is what a command wrote to one stream. A nil *Capture is an empty
// one. Reading does not use it up, and goroutines may read at the same time;
// Close must come after the last read.
type Capture struct {
	mem    []byte
	file   *os.File // not nil: the bytes are in there instead of in mem
	size   int64
	err    error // not nil: the command wrote more, which was lost
	closed bool
}

// Len returns the number of bytes captured. It keeps its value after Close.
func (c *Capture) Len() int64 {
	if c == nil {
		return 0
	}
	return c.size
}

// Reader returns a reader of the whole stream, from its start. It is valid until
// Close. If some output was lost it ends with the *Failure that says so in place of io.EOF.
func (c *Capture) Reader() io.Reader {
	if c == nil {
		return strings.NewReader("")
	}
	return &captureReader{c: c}
}

// WriteTo writes the whole stream to w and returns how many bytes that were.
// An error is w's, the spill file's, or the *Failure of a stream whose end was
// lost; that one comes after everything there is has been written.
func (c *Capture) WriteTo(w io.Writer) (int64, error) {
	switch {
	case c == nil:
		return 0, nil
	case c.file != nil || c.closed:
		buf := scratch.Get().(*[scratchSize]byte)
		defer scratch.Put(buf)
		// The struct hides any ReadFrom of w, which would ignore our buffer.
		return io.CopyBuffer(struct{ io.Writer }{w}, c.Reader(), buf[:])
	case len(c.mem) == 0:
		return 0, c.err
	}
	n, err := w.Write(c.mem)
	if err == nil {
		err = c.err
	}
	return int64(n), err
}

// Close frees the memory and the spill file. Further calls do nothing.
func (c *Capture) Close() error {
	if c == nil || c.closed {
		return nil
	}
	c.closed, c.mem = true, nil
	if f := c.file; f != nil {
		c.file = nil
		return closeSpill(f)
	}
	return nil
}

// A captureReader reads a Capture from its start.
type captureReader struct {
	c  *Capture
	at int64
}

func (r *captureReader) Read(p []byte) (int, error) {
	c := r.c
	switch {
	case c.closed:
		return 0, errCaptureClosed
	case len(p) == 0:
		return 0, nil
	case r.at >= c.size:
		if c.err != nil {
			return 0, c.err
		}
		return 0, io.EOF
	}
	var n int
	var err error
	if c.file == nil {
		n = copy(p, c.mem[r.at:])
	} else {
		n, err = c.file.ReadAt(p[:min(int64(len(p)), c.size-r.at)], r.at)
		switch {
		case n > 0:
			err = nil // it comes again, without data
		case err == io.EOF:
			err = io.ErrUnexpectedEOF // somebody shortened the file
		}
	}
	r.at += int64(n)
	return n, err
}
