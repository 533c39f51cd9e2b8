package host

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/core/transport"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/net/upgrader"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	manet "github.com/multiformats/go-multiaddr/net"
)

// securityID is what both sides name when a TCP connection begins. It is not
// libp2p's, so that other libp2p programs get no further than this.
const securityID protocol.ID = "/filch/tls/1"

const (
	// acceptTimeout is how long a TCP connection may take until it is admitted.
	acceptTimeout = 5 * time.Second
	// maxStreams bounds what one admitted peer may open on one connection.
	maxStreams = 1024
)

// newTCP returns libp2p's TCP transport with our admission and our door.
func newTCP(a *admission, d *door, neighbour func(net.Addr) bool) (transport.Transport, error) {
	mux := &muxer{*yamux.DefaultTransport} // a copy: the default is everybody's
	mux.MaxIncomingStreams = maxStreams
	front := &tcpFront{door: d, refusals: a.refusals, neighbour: neighbour, pending: make(map[net.Conn]*tcpScope)}
	u, err := upgrader.New(
		[]sec.SecureTransport{&tlsTransport{admission: a, front: front}},
		[]upgrader.StreamMuxer{{ID: yamux.ID, Muxer: mux}},
		nil, nil, nil, upgrader.WithAcceptTimeout(acceptTimeout))
	if err != nil {
		return nil, err
	}
	front.Upgrader = u
	// With port reuse, a second node on the same port would go unnoticed.
	return tcp.NewTCPTransport(front, nil, nil, tcp.DisableReuseport())
}

// tcpFront is libp2p's upgrader with the door in front of it.
type tcpFront struct {
	transport.Upgrader
	door      *door
	refusals  *refusals
	neighbour func(net.Addr) bool // whether a member is at the address

	mu      sync.Mutex
	pending map[net.Conn]*tcpScope // accepted and not admitted; bounded by the door
}

// GateMaListener is called by libp2p for each listener.
func (f *tcpFront) GateMaListener(l manet.Listener) transport.GatedMaListener {
	return &tcpListener{Listener: l, front: f}
}

// judged is told that the peer at the other end was refused, and counted.
func (f *tcpFront) judged(conn net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.pending[conn]; s != nil {
		s.judged = true
	}
}

// broken is told that what came over the connection was no TLS, or no good one.
func (f *tcpFront) broken(conn net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.pending[conn]; s != nil {
		s.broken = true
	}
}

type tcpListener struct {
	manet.Listener
	front *tcpFront
}

// Accept lets the next connection through the door.
func (l *tcpListener) Accept() (manet.Conn, network.ConnManagementScope, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, nil, err
	}
	socket, ok := conn.(tcpSocket)
	if !ok {
		conn.Close()
		return nil, nil, fmt.Errorf("accepted a %T, no TCP connection", conn) // a bug
	}
	f := l.front
	heard := &firstBytes{tcpSocket: socket}
	conn = heard
	s := &tcpScope{front: f, conn: conn, heard: heard, begun: time.Now()}
	f.mu.Lock()
	f.pending[conn] = s
	f.mu.Unlock()
	s.knock = f.door.enter(addrOf(conn.RemoteAddr()), s.giveUp)
	return conn, s, nil
}

// tcpScope follows one accepted connection until it is admitted or gone; libp2p
// calls it a resource scope and reports both to it.
type tcpScope struct {
	network.NullScope
	front *tcpFront
	conn  net.Conn
	heard *firstBytes
	knock *knock
	begun time.Time

	// Guarded by front.mu.
	judged bool // the handshake got as far as a certificate, and counted it if it was bad
	pushed bool // given up for a newer connection
	broken bool // what came was no TLS
}

// SetPeer is called when the TLS handshake has ended well.
func (s *tcpScope) SetPeer(peer.ID) error {
	s.end()
	return nil
}

// PeerScope returns a scope that allows everything.
func (s *tcpScope) PeerScope() network.PeerScope { return nil }

// Done is called when the connection is closed or did not get through.
func (s *tcpScope) Done() {
	if !s.end() {
		return
	}
	s.front.mu.Lock()
	judged, pushed, broken := s.judged, s.pushed, s.broken
	s.front.mu.Unlock()
	if judged {
		return
	}
	refusals, from := s.front.refusals, s.conn.RemoteAddr()
	switch {
	case pushed:
		refusals.refuse(Crowded, from, errCrowded)
	case broken || s.heard.odd.Load():
		refusals.refuse(NotFilch, from, errors.New("it did not begin as a filch node does"))
	case time.Since(s.begun) < acceptTimeout:
		refusals.expect(Abandoned, from, errors.New("closed before the handshake was over"))
	case s.front.neighbour(from):
		refusals.expect(Silent, from, errLate)
	default:
		refusals.refuse(Silent, from, errLate)
	}
}

var (
	errCrowded = errors.New("too many connections that say nothing; this was the oldest")
	errLate    = errors.New("no complete handshake in time")
)

func (s *tcpScope) end() bool {
	s.front.mu.Lock()
	delete(s.front.pending, s.conn)
	s.front.mu.Unlock()
	return s.front.door.leave(s.knock)
}

func (s *tcpScope) giveUp() {
	s.front.mu.Lock()
	s.pushed = true
	delete(s.front.pending, s.conn)
	s.front.mu.Unlock()
	s.front.refusals.refuse(Crowded, s.conn.RemoteAddr(), errCrowded)
	s.conn.Close()
}

// muxer is yamux whose connections remember what is below them.
type muxer struct{ yamux.Transport }

// NewConn is called after the handshake.
func (m *muxer) NewConn(c net.Conn, server bool, scope network.PeerScope) (network.MuxedConn, error) {
	muxed, err := m.Transport.NewConn(c, server, scope)
	if err != nil {
		return nil, err
	}
	below, _ := c.(*secureConn)
	return &muxedConn{MuxedConn: muxed, below: below}, nil
}

type muxedConn struct {
	network.MuxedConn
	below *secureConn
}

// As gives access to the TLS connection.
func (c *muxedConn) As(target any) bool {
	if t, ok := target.(**secureConn); ok && c.below != nil {
		*t = c.below
		return true
	}
	return c.MuxedConn.As(target)
}

// tlsTransport secures TCP connections. libp2p's own takes no hook for
// certificates, but its Identity does the cryptography here as well.
type tlsTransport struct {
	admission *admission
	front     *tcpFront
}

// ID names the protocol.
func (t *tlsTransport) ID() protocol.ID { return securityID }

// SecureInbound runs the handshake with a peer that dialled.
func (t *tlsTransport) SecureInbound(ctx context.Context, insecure net.Conn, p peer.ID) (sec.SecureConn, error) {
	conf, v, err := t.admission.config(p, &caller{addr: insecure.RemoteAddr(), bad: func() { t.front.judged(insecure) }})
	if err != nil {
		insecure.Close()
		return nil, err
	}
	c, err := t.handshake(ctx, tls.Server(insecure, conf), v)
	if err != nil {
		if !cutOff(err) {
			t.front.broken(insecure)
		}
		insecure.Close()
		return nil, err
	}
	return c, nil
}

// SecureOutbound runs the handshake with a peer that was dialled.
func (t *tlsTransport) SecureOutbound(ctx context.Context, insecure net.Conn, p peer.ID) (sec.SecureConn, error) {
	conf, v, err := t.admission.config(p, nil)
	if err != nil {
		insecure.Close()
		return nil, err
	}
	conn := tls.Client(insecure, conf)
	c, err := t.handshake(ctx, conn, v)
	if err != nil {
		if _, refused := v.result(); refused != nil && ctx.Err() == nil {
			// Closing resets the connection, and could overtake our certificate.
			conn.SetReadDeadline(time.Now().Add(farewell))
			conn.Read(make([]byte, 1))
		}
		insecure.Close()
		return nil, err
	}
	return c, nil
}

func (t *tlsTransport) handshake(ctx context.Context, conn *tls.Conn, v *verdict) (*secureConn, error) {
	err := conn.HandshakeContext(ctx)
	key, refused := v.result()
	switch {
	case refused != nil:
		return nil, refused
	case err != nil:
		return nil, err
	case key == nil:
		return nil, errors.New("TLS ended without a certificate") // tls.RequireAnyClientCert excludes it
	}
	id, err := peer.IDFromPublicKey(key)
	if err != nil {
		return nil, err
	}
	return &secureConn{Conn: conn, local: t.admission.self.ID(), remote: id, key: key}, nil
}

// secureConn is a TLS connection of two members.
type secureConn struct {
	*tls.Conn
	local, remote peer.ID
	key           crypto.PubKey
	alert         atomic.Pointer[error] // what the other side ended the connection with, once read
}

// Read notes the alert by which the other side says that it refuses this node's
// certificate: the multiplexer above would lose it.
func (c *secureConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil && isAlert(err) {
		c.alert.Store(&err)
	}
	return n, err
}

// LocalPeer returns this node.
func (c *secureConn) LocalPeer() peer.ID { return c.local }

// RemotePeer returns the other node.
func (c *secureConn) RemotePeer() peer.ID { return c.remote }

// RemotePublicKey returns the other node's key.
func (c *secureConn) RemotePublicKey() crypto.PubKey { return c.key }

// ConnState says that the multiplexer is yamux, without negotiation: all
// members speak it, and the round trip is saved.
func (c *secureConn) ConnState() network.ConnectionState {
	return network.ConnectionState{StreamMultiplexer: yamux.ID, Security: securityID, UsedEarlyMuxerNegotiation: true}
}
