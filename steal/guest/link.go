package guest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/libp2p/go-yamux/v5"

	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// A Link is a guest's connection to its node. It implements steal.Network, with the node as
// the only peer. All methods may be called concurrently.
type Link struct {
	self     core.PeerID
	session  *session
	handlers *handlers
	execs    chan *yamux.Stream
	over     chan struct{} // closed when every goroutine has ended

	mu   sync.Mutex
	back *queue                  // to the node, while Work runs
	lent map[core.Piece]struct{} // by the node, and not ended
}

// Connect makes the node on the other side of conn take this process for a guest that runs so
// many commands at a time (0: as the node pleases), and is called so. ctx bounds the handshake. The
// connection is the link's, and closed if there is an error.
func Connect(ctx context.Context, conn net.Conn, self core.PeerID, jobs int, about About) (*Link, error) {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		conn.Close()
		return nil, err
	}
	node, err := greet(conn, hello{id: self, jobs: jobs, about: about})
	if err == nil {
		err = conn.SetDeadline(time.Time{})
	}
	if err != nil {
		conn.Close()
		return nil, errors.Join(context.Cause(ctx), err)
	}
	s, err := newSession(conn, node, true)
	if err != nil {
		conn.Close()
		return nil, err
	}
	l := &Link{self: self, session: s, handlers: newHandlers(), execs: make(chan *yamux.Stream, 1), over: make(chan struct{}), lent: make(map[core.Piece]struct{})}
	go func() {
		defer close(l.over)
		s.serve(l.took)
	}()
	return l, nil
}

// took gets each stream that the node opens.
func (l *Link) took(protocol string, stream *yamux.Stream) {
	if protocol != protocolExec {
		l.handlers.handle(l.session, protocol, stream)
		return
	}
	select {
	case l.execs <- stream:
	default: // a second one
		stream.Reset()
	}
}

// Node is the other side's name.
func (l *Link) Node() core.PeerID { return l.session.peer }

// Done is closed when the link is over.
func (l *Link) Done() <-chan struct{} { return l.session.over() }

// Close ends the link and waits for what handles its streams.
func (l *Link) Close() error {
	l.session.close()
	<-l.over
	return nil
}

// Open implements steal.Network.
func (l *Link) Open(ctx context.Context, to core.PeerID, protocol string) (steal.Stream, error) {
	if to != l.session.peer {
		return nil, fmt.Errorf("guest: %s is not the node of this guest", to)
	}
	return l.session.open(ctx, protocol)
}

// Handle implements steal.Network.
func (l *Link) Handle(protocol string, f func(core.PeerID, steal.Stream)) {
	l.handlers.set(protocol, f)
}
