package steal_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// A memNet is a network in memory, with the faults that networks have, on demand. All methods may be called concurrently.
type memNet struct {
	mu      sync.Mutex
	ports   map[core.PeerID]*memPort
	streams map[*pair]struct{}
	cut     map[[2]core.PeerID]bool
}

func newMemNet() *memNet {
	return &memNet{ports: make(map[core.PeerID]*memPort), streams: make(map[*pair]struct{}), cut: make(map[[2]core.PeerID]bool)}
}

// A memPort is where a process is in the network: its steal.Network.
type memPort struct {
	net      *memNet
	id       core.PeerID
	mu       sync.Mutex
	handlers map[string]func(core.PeerID, steal.Stream)
}

// Port returns a new port of a name; an older one of that name is not reached any more.
func (n *memNet) Port(id core.PeerID) *memPort {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := &memPort{net: n, id: id, handlers: make(map[string]func(core.PeerID, steal.Stream))}
	n.ports[id] = p
	return p
}

// Handle implements steal.Network.
func (p *memPort) Handle(protocol string, f func(core.PeerID, steal.Stream)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f == nil {
		delete(p.handlers, protocol)
		return
	}
	p.handlers[protocol] = f
}

// errUnreachable is the error of Open for a peer that is not there, or cut off.
var errUnreachable = errors.New("memnet: unreachable")

// Open implements steal.Network.
func (p *memPort) Open(ctx context.Context, to core.PeerID, protocol string) (steal.Stream, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	n := p.net
	n.mu.Lock()
	defer n.mu.Unlock()
	peer := n.ports[to]
	if peer == nil || n.cut[[2]core.PeerID{p.id, to}] || n.ports[p.id] != p {
		return nil, fmt.Errorf("%w: %s", errUnreachable, to)
	}
	peer.mu.Lock()
	f := peer.handlers[protocol]
	peer.mu.Unlock()
	if f == nil {
		return nil, fmt.Errorf("memnet: %s does not speak %s", to, protocol)
	}
	there, back := newPipe(), newPipe()
	w := &pair{from: p.id, to: to, pipes: [2]*pipe{there, back}}
	n.streams[w] = struct{}{}
	go f(p.id, &memStream{w: w, in: there, out: back, net: n})
	return &memStream{w: w, in: back, out: there, net: n}, nil
}

// Remove has a process vanish: its streams break, and nobody reaches it.
func (n *memNet) Remove(id core.PeerID) {
	n.mu.Lock()
	delete(n.ports, id)
	n.mu.Unlock()
	n.Reset(func(from, to core.PeerID) bool { return from == id || to == id })
}

// Reset breaks the streams between peers that match.
func (n *memNet) Reset(match func(from, to core.PeerID) bool) {
	n.mu.Lock()
	var broken []*pair
	for w := range n.streams {
		if match(w.from, w.to) {
			broken = append(broken, w)
			delete(n.streams, w)
		}
	}
	n.mu.Unlock()
	for _, w := range broken {
		w.reset()
	}
}

// Stall has nothing arrive on the streams between peers that match, without an end: a connection that is
// half open. on false lets what waited arrive.
func (n *memNet) Stall(on bool, match func(from, to core.PeerID) bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for w := range n.streams {
		if match(w.from, w.to) {
			for _, p := range w.pipes {
				p.stall(on)
			}
		}
	}
}

// Cut has nobody open new streams from one peer to the other; the present ones stay.
func (n *memNet) Cut(on bool, from, to core.PeerID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut[[2]core.PeerID{from, to}] = on
}

// A pair is a stream.
type pair struct {
	from, to core.PeerID
	pipes    [2]*pipe
}

func (w *pair) reset() {
	for _, p := range w.pipes {
		p.end(errReset)
	}
}

var errReset = errors.New("memnet: the stream was reset")

// window is how much a pipe holds before its writer waits.
const window = 256 << 10

// A pipe is one direction.
type pipe struct {
	mu      sync.Mutex
	moved   sync.Cond
	buf     []byte
	closed  bool // by its writer
	err     error
	stalled bool
}

func newPipe() *pipe {
	p := new(pipe)
	p.moved.L = &p.mu
	return p
}

func (p *pipe) stall(on bool) {
	p.mu.Lock()
	p.stalled = on
	p.mu.Unlock()
	p.moved.Broadcast()
}

func (p *pipe) end(err error) {
	p.mu.Lock()
	if p.err == nil {
		p.err = err
	}
	p.mu.Unlock()
	p.moved.Broadcast()
}

func (p *pipe) read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.err == nil && (p.stalled || len(p.buf) == 0 && !p.closed) {
		p.moved.Wait()
	}
	switch {
	case p.err != nil:
		return 0, p.err
	case len(p.buf) == 0:
		return 0, io.EOF
	}
	n := copy(b, p.buf)
	if p.buf = p.buf[n:]; len(p.buf) == 0 {
		p.buf = nil
	}
	p.moved.Broadcast()
	return n, nil
}

func (p *pipe) write(b []byte) (done int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(b) > 0 {
		for p.err == nil && !p.closed && len(p.buf) >= window {
			p.moved.Wait()
		}
		switch {
		case p.err != nil:
			return done, p.err
		case p.closed:
			return done, io.ErrClosedPipe
		}
		n := min(len(b), window-len(p.buf))
		p.buf = append(p.buf, b[:n]...)
		b = b[n:]
		done += n
		p.moved.Broadcast()
	}
	return done, nil
}

// A memStream is one side's view of a stream.
type memStream struct {
	w       *pair
	in, out *pipe
	net     *memNet
}

func (e *memStream) Read(b []byte) (int, error)  { return e.in.read(b) }
func (e *memStream) Write(b []byte) (int, error) { return e.out.write(b) }

// CloseWrite implements steal.Stream.
func (e *memStream) CloseWrite() error {
	e.out.mu.Lock()
	e.out.closed = true
	e.out.mu.Unlock()
	e.out.moved.Broadcast()
	return nil
}

// Close implements steal.Stream.
func (e *memStream) Close() error {
	e.CloseWrite()
	e.in.end(io.ErrClosedPipe)
	return nil
}

// Reset implements steal.Stream.
func (e *memStream) Reset() error {
	e.net.mu.Lock()
	delete(e.net.streams, e.w)
	e.net.mu.Unlock()
	e.w.reset()
	return nil
}
