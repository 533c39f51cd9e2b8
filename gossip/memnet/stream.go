package memnet

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

const (
	// retransmission is how late bytes are that were lost on the first try.
	retransmission = 200 * time.Millisecond
	// window is how many bytes may be under way in one direction before a writer waits.
	window = 1 << 20
)

var errReset = errors.New("stream reset")

// A stream is one end of a pair.
type stream struct {
	node, remote *Node
	in, out      *half // in of one end is out of the other
	read, write  deadline
}

func pair(a, b *Node) (*stream, *stream) {
	ab, ba := newHalf(), newHalf()
	return newStream(a, b, ba, ab), newStream(b, a, ab, ba)
}

func newStream(n, remote *Node, in, out *half) *stream {
	return &stream{node: n, remote: remote, in: in, out: out, read: newDeadline(), write: newDeadline()}
}

// Peer is who is at the other end.
func (s *stream) Peer() peer.ID { return s.remote.id }

// Read waits for bytes that have arrived.
func (s *stream) Read(b []byte) (int, error) {
	n, err := s.in.read(b, s.read.done())
	s.node.streamBytesReceived.Add(int64(n))
	return n, err
}

// Write sends bytes on their way, and waits while too many are.
func (s *stream) Write(b []byte) (int, error) {
	sent := 0
	for sent < len(b) {
		part := b[sent:min(len(b), sent+window)]
		if err := s.out.room(len(part), s.write.done()); err != nil {
			return sent, err
		}
		s.node.streamBytesSent.Add(int64(len(part)))
		s.send(part, false)
		sent += len(part)
	}
	return sent, nil
}

// send puts a piece, or the end, on its way. If there is no way the stream is dead.
func (s *stream) send(b []byte, end bool) {
	latency, open := s.node.world.open(s.node.id, s.remote.id)
	if !open || !s.node.is(running) {
		s.out.lose()
		return
	}
	for s.node.world.lost() {
		latency += retransmission
	}
	s.out.put(b, end, time.Now().Add(latency))
}

// CloseWrite tells the other end that nothing more will come.
func (s *stream) CloseWrite() error {
	s.send(nil, true)
	return nil
}

// Close closes both directions; what is under way arrives.
func (s *stream) Close() error {
	s.node.release(s)
	s.in.fail(io.ErrClosedPipe)
	return s.CloseWrite()
}

// Reset ends both directions at once.
func (s *stream) Reset() error {
	s.node.release(s)
	s.fail(true)
	return nil
}

// fail ends the stream at this end, and tells the other end, or does not.
func (s *stream) fail(tell bool) {
	s.in.fail(errReset)
	if _, open := s.node.world.open(s.node.id, s.remote.id); tell && open {
		s.out.fail(errReset)
	} else {
		s.out.lose()
	}
}

func (s *stream) SetDeadline(t time.Time) error {
	s.read.set(t)
	s.write.set(t)
	return nil
}

func (s *stream) SetReadDeadline(t time.Time) error {
	s.read.set(t)
	return nil
}

func (s *stream) SetWriteDeadline(t time.Time) error {
	s.write.set(t)
	return nil
}

// A half is one direction of a stream.
type half struct {
	mu     sync.Mutex
	pieces []piece
	bytes  int
	last   time.Time     // when the last piece arrives: order is kept
	ended  bool          // a piece with end is among the pieces, or was
	lost   bool          // nothing arrives any more, nobody is told
	err    error         // reads and writes fail
	change chan struct{} // closed and replaced whenever any of this changes
}

type piece struct {
	b   []byte
	end bool
	at  time.Time
}

func newHalf() *half { return &half{change: make(chan struct{})} }

// changed wakes who waits. The lock is held.
func (h *half) changed() {
	close(h.change)
	h.change = make(chan struct{})
}

func (h *half) put(b []byte, end bool, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lost || h.ended || h.err != nil {
		return
	}
	if at.Before(h.last) {
		at = h.last
	}
	h.last, h.ended = at, end
	h.pieces = append(h.pieces, piece{append([]byte(nil), b...), end, at})
	h.bytes += len(b)
	h.changed()
}

func (h *half) lose() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lost = true
}

func (h *half) fail(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err == nil {
		h.err = err
		h.pieces, h.bytes = nil, 0
		h.changed()
	}
}

// room waits until n more bytes may be under way.
func (h *half) room(n int, deadline <-chan struct{}) error {
	for {
		h.mu.Lock()
		err, full, change := h.err, h.bytes > 0 && h.bytes+n > window && !h.lost, h.change
		if h.ended && err == nil {
			err = io.ErrClosedPipe
		}
		h.mu.Unlock()
		if err != nil {
			return err
		}
		if !full {
			return nil
		}
		select {
		case <-change:
		case <-deadline:
			return os.ErrDeadlineExceeded
		}
	}
}

func (h *half) read(b []byte, deadline <-chan struct{}) (int, error) {
	for {
		n, wait, change, err := h.take(b)
		if n > 0 || err != nil {
			return n, err
		}
		var arrival <-chan time.Time
		var timer *time.Timer
		if wait > 0 {
			timer = time.NewTimer(wait)
			arrival = timer.C
		}
		select {
		case <-change:
		case <-arrival:
		case <-deadline:
			err = os.ErrDeadlineExceeded
		}
		if timer != nil {
			timer.Stop()
		}
		if err != nil {
			return 0, err
		}
	}
}

// take returns what has arrived; if nothing has, how long until the next piece does, or 0
// if none is under way, and what to wait for.
func (h *half) take(b []byte) (n int, wait time.Duration, change <-chan struct{}, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err != nil {
		return 0, 0, nil, h.err
	}
	if len(h.pieces) == 0 {
		return 0, 0, h.change, nil
	}
	p := &h.pieces[0]
	if wait = time.Until(p.at); wait > 0 {
		return 0, wait, h.change, nil
	}
	if p.end {
		return 0, 0, nil, io.EOF
	}
	n = copy(b, p.b)
	if p.b = p.b[n:]; len(p.b) == 0 {
		h.pieces = h.pieces[1:]
	}
	h.bytes -= n
	h.changed()
	return n, 0, nil, nil
}

// A deadline is a channel that is closed once it has passed (as in net.Pipe).
type deadline struct {
	mu     *sync.Mutex
	timer  *time.Timer
	passed chan struct{}
}

func newDeadline() deadline {
	return deadline{mu: new(sync.Mutex), passed: make(chan struct{})}
}

func (d *deadline) done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.passed
}

func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil && !d.timer.Stop() {
		<-d.passed // the timer runs already; wait for it
	}
	d.timer = nil
	select {
	case <-d.passed:
		d.passed = make(chan struct{})
	default:
	}
	if t.IsZero() {
		return
	}
	if wait := time.Until(t); wait > 0 {
		passed := d.passed
		d.timer = time.AfterFunc(wait, func() { close(passed) })
		return
	}
	close(d.passed)
}
