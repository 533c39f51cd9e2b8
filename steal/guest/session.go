package guest

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/libp2p/go-yamux/v5"

	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

const (
	maxStreams  = 256 // at once, that the other side has opened
	maxProtocol = 255 // bytes of a protocol's name
	maxParked   = 16  // streams that wait for their protocol to be handled

	// pingEvery and pongWithin bound for how long a guest takes a dead node for a living one.
	// That is about one lease, so nothing is gained by being quicker.
	pingEvery  = 3 * time.Second
	pongWithin = 7 * time.Second
	// writeWithin is how long the node waits for a guest to take anything at all. A guest may
	// be stopped; what is sent meanwhile is a heartbeat now and then, and fits the socket's buffer.
	writeWithin = time.Minute
)

// A session is one side of a link: streams over a connection.
type session struct {
	peer    core.PeerID // the other side
	mux     *yamux.Session
	streams sync.WaitGroup // that are being handled
}

func newSession(conn net.Conn, peer core.PeerID, isGuest bool) (*session, error) {
	c := yamux.DefaultConfig()
	c.LogOutput = io.Discard
	c.MaxIncomingStreams = maxStreams
	c.AcceptBacklog = maxStreams
	c.EnableKeepAlive, c.KeepAliveInterval = isGuest, pingEvery
	c.MeasureRTTInterval = 24 * time.Hour // nobody asks
	c.WriteCoalesceDelay = 0
	c.ConnectionWriteTimeout = pongWithin
	side := yamux.Client
	if !isGuest {
		side = yamux.Server
		c.ConnectionWriteTimeout = writeWithin
	}
	m, err := side(conn, c, nil)
	if err != nil {
		return nil, err
	}
	return &session{peer: peer, mux: m}, nil
}

// open opens a stream for a protocol.
func (s *session) open(ctx context.Context, protocol string) (*yamux.Stream, error) {
	if len(protocol) > maxProtocol {
		return nil, fmt.Errorf("guest: a protocol's name of %d bytes", len(protocol))
	}
	stream, err := s.mux.OpenStream(ctx)
	if err != nil {
		return nil, fmt.Errorf("the link to %s: %w", s.peer, err)
	}
	if _, err := stream.Write(append([]byte{byte(len(protocol))}, protocol...)); err != nil {
		stream.Reset()
		return nil, fmt.Errorf("the link to %s: %w", s.peer, err)
	}
	return stream, nil
}

// serve gives each stream that the other side opens to f, with its protocol, on a goroutine of
// its own. It returns when the session is over and every f has returned.
func (s *session) serve(f func(protocol string, stream *yamux.Stream)) {
	defer s.streams.Wait()
	for {
		stream, err := s.mux.AcceptStream()
		if err != nil {
			return
		}
		s.streams.Go(func() {
			protocol, err := protocolOf(stream)
			if err != nil {
				stream.Reset()
				return
			}
			f(protocol, stream)
		})
	}
}

func protocolOf(s *yamux.Stream) (string, error) {
	if err := s.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	var n [1]byte
	if _, err := io.ReadFull(s, n[:]); err != nil {
		return "", err
	}
	name := make([]byte, n[0])
	if _, err := io.ReadFull(s, name); err != nil {
		return "", err
	}
	return string(name), s.SetReadDeadline(time.Time{})
}

// close ends the session at once, and with it every stream.
func (s *session) close() { s.mux.Close() }

// over is closed when the session has ended.
func (s *session) over() <-chan struct{} { return s.mux.CloseChan() }

// handlers are what is done with streams, by protocol. A stream may come before its protocol is
// handled: the other side may be quicker than our driver. It is safe for concurrent use.
type handlers struct {
	mu      sync.Mutex
	by      map[string]func(core.PeerID, steal.Stream)
	changed chan struct{} // closed when by changes
	parked  int
}

func newHandlers() *handlers {
	return &handlers{by: make(map[string]func(core.PeerID, steal.Stream)), changed: make(chan struct{})}
}

// set is steal.Network's Handle.
func (h *handlers) set(protocol string, f func(core.PeerID, steal.Stream)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if f == nil {
		delete(h.by, protocol)
	} else {
		h.by[protocol] = f
	}
	close(h.changed)
	h.changed = make(chan struct{})
}

// handle gives a stream to whoever handles its protocol, or resets it if nobody does before
// patience or the session is over.
func (h *handlers) handle(s *session, protocol string, stream *yamux.Stream) {
	h.mu.Lock()
	f, changed := h.by[protocol], h.changed
	park := f == nil && h.parked < maxParked
	if park {
		h.parked++
	}
	h.mu.Unlock()
	if park {
		f = h.await(s, protocol, changed)
	}
	if f == nil {
		stream.Reset()
		return
	}
	f(s.peer, stream)
}

func (h *handlers) await(s *session, protocol string, changed <-chan struct{}) func(core.PeerID, steal.Stream) {
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		over := false
		select {
		case <-changed:
		case <-late.C:
			over = true
		case <-s.over():
			over = true
		}
		h.mu.Lock()
		f := h.by[protocol]
		changed = h.changed
		if f != nil || over {
			h.parked--
			h.mu.Unlock()
			return f
		}
		h.mu.Unlock()
	}
}
