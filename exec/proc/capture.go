package proc

import (
	"bytes"
	"io"
	"os"
	"sync"
)

// A Capture is one output stream of a command that has ended. A nil Capture is an empty one.
type Capture struct {
	mu   sync.Mutex
	mem  []byte
	file *os.File
	size int64
}

// Len returns the number of bytes captured.
func (c *Capture) Len() int64 {
	if c == nil {
		return 0
	}
	return c.size
}

// Reader returns a reader from the start. It is valid until Close.
func (c *Capture) Reader() io.Reader {
	switch {
	case c == nil:
		return bytes.NewReader(nil)
	case c.file != nil:
		return io.NewSectionReader(c.file, 0, c.size)
	}
	return bytes.NewReader(c.mem)
}

// WriteTo writes all of it to w. It may be called again.
func (c *Capture) WriteTo(w io.Writer) (int64, error) { return io.Copy(w, c.Reader()) }

// Close frees the memory and the spill file.
func (c *Capture) Close() error {
	if c == nil {
		return nil
	}
	c.mem = nil
	if f := c.file; f != nil {
		c.file = nil
		return f.Close()
	}
	return nil
}
