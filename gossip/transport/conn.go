package transport

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// MaxFrame is the largest sealed frame on a stream, in bytes: the state of MaxMembers
// members takes about three quarters of it.
const MaxFrame = 16 << 20

// frameHead is the length before a frame, big endian.
const frameHead = 4

// conn is a stream as memberlist wants it: a net.Conn on which each side writes one
// message with one Write. It is used by one goroutine at a time.
type conn struct {
	Stream
	t       *Transport
	dialled bool
	done    func() // gives back the slot of an inbound stream; nil for others
	closing sync.Once

	got bool         // the frame has been read, or that has failed
	in  bytes.Reader // what is left of it
	err error        // what reading ends in, io.EOF or a refusal
}

// Write seals b as one frame and sends it.
func (c *conn) Write(b []byte) (int, error) {
	size := len(b) + Overhead
	if size > MaxFrame {
		return 0, fmt.Errorf("a frame of %d bytes, the most is %d", size, MaxFrame)
	}
	frame := binary.BigEndian.AppendUint32(make([]byte, 0, frameHead+size), uint32(size))
	frame = c.t.stream.Seal(frame, c.Peer(), b)
	if _, err := c.Stream.Write(frame); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Read gives what the peer sent, once all of it is there and has been judged.
func (c *conn) Read(b []byte) (int, error) {
	if !c.got {
		c.got = true
		plain, err := c.frame()
		c.in.Reset(plain)
		if c.err = err; err == nil {
			c.err = io.EOF
		}
	}
	if n, _ := c.in.Read(b); n > 0 || len(b) == 0 {
		return n, nil
	}
	return 0, c.err
}

// frame reads and opens the one frame. A refusal of a stream that a peer opened is
// counted and logged here; memberlist sees the stream's end, lest it log it again and
// send the reason to who was refused.
func (c *conn) frame() ([]byte, error) {
	plain, reason, err := c.readFrame()
	if reason == "" {
		return plain, err
	}
	c.t.refusals.refused(reason, c.Peer().String(), err)
	c.Reset()
	if !c.dialled {
		return nil, io.EOF
	}
	return nil, fmt.Errorf("%s: %w", reason, err)
}

// readFrame has a reason if the frame is to be refused, and only an error if the stream
// failed.
func (c *conn) readFrame() (plain []byte, reason string, err error) {
	var head [frameHead]byte
	if _, err := io.ReadFull(c.Stream, head[:]); err != nil {
		return nil, "", err
	}
	size := binary.BigEndian.Uint32(head[:])
	if size > MaxFrame {
		return nil, "oversized frame", fmt.Errorf("%d bytes announced, the most is %d", size, MaxFrame)
	}
	// The buffer grows with what arrives: who announces much must also send it.
	var sealed bytes.Buffer
	if _, err := io.CopyN(&sealed, c.Stream, int64(size)); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, "", err
	}
	plain, err = c.t.stream.Open(c.t.net.ID(), sealed.Bytes())
	if err != nil {
		return nil, "frame without this cluster's key", err
	}
	var s seen
	if err := checkFrame(plain, &s); err != nil {
		return nil, "malformed frame", err
	}
	for i := range s.passing {
		s.passing[i].Itself = s.passing[i].Node == c.Peer().String()
	}
	c.t.pass(&s)
	return plain, "", nil
}

// Close gives the stream back. It may be called more than once.
func (c *conn) Close() error {
	err := c.Stream.Close()
	c.closing.Do(func() {
		if c.done != nil {
			c.done()
		}
	})
	return err
}

func (c *conn) LocalAddr() net.Addr  { return addr(c.t.net.ID().String()) }
func (c *conn) RemoteAddr() net.Addr { return addr(c.Peer().String()) }
