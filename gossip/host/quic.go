package host

import (
	"context"
	"crypto/tls"
	"errors"
	"math"
	"net"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/transport"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	ma "github.com/multiformats/go-multiaddr"
	mafmt "github.com/multiformats/go-multiaddr-fmt"
	"github.com/quic-go/quic-go"
)

// quicTransport is a thin QUIC transport on libp2p's quicreuse, which keeps the
// sockets. libp2p's own fixes one TLS certificate for its whole life and hides
// the handshake's errors; here each handshake takes its certificate from the
// admission, and a refusal reaches the caller as what it is.
type quicTransport struct {
	sockets   *quicreuse.ConnManager
	admission *admission
	door      *door
	neighbour func(net.Addr) bool // whether a member is at the address
}

var quicAddress = mafmt.And(mafmt.IP, mafmt.Base(ma.P_UDP), mafmt.Base(ma.P_QUIC_V1))

// CanDial tells whether addr is a QUIC address.
func (t *quicTransport) CanDial(addr ma.Multiaddr) bool { return quicAddress.Matches(addr) }

// Protocols names QUIC version 1.
func (t *quicTransport) Protocols() []int { return []int{ma.P_QUIC_V1} }

// Proxy says that connections are direct.
func (t *quicTransport) Proxy() bool { return false }

// ListenOrder puts QUIC before what shares its port.
func (t *quicTransport) ListenOrder() int { return 1 }

// String names the transport in libp2p's logs.
func (t *quicTransport) String() string { return "QUIC" }

// Dial connects to the peer and checks its certificate.
func (t *quicTransport) Dial(ctx context.Context, addr ma.Multiaddr, p peer.ID) (transport.CapableConn, error) {
	conf, v, err := t.admission.config(p, nil)
	if err != nil {
		return nil, err
	}
	q, err := t.sockets.DialQUIC(quicreuse.WithAssociation(ctx, t), addr, conf, allowWindow)
	key, refused := v.result()
	switch {
	case refused != nil:
		if err == nil {
			select {
			case <-q.Context().Done(): // the other side has seen our certificate
			case <-ctx.Done():
			case <-time.After(farewell):
			}
			q.CloseWithError(0, "")
		}
		return nil, refused
	case err != nil:
		return nil, alertOf(p, err)
	case key == nil:
		q.CloseWithError(0, "")
		return nil, errors.New("TLS ended without a certificate") // excluded by crypto/tls
	}
	return t.conn(q, p, key, addr)
}

// allowWindow: only admitted peers have connections whose windows can grow.
func allowWindow(*quic.Conn, uint64) bool { return true }

func (t *quicTransport) conn(q *quic.Conn, p peer.ID, key crypto.PubKey, remote ma.Multiaddr) (transport.CapableConn, error) {
	local, err := quicreuse.ToQuicMultiaddr(q.LocalAddr(), quic.Version1)
	if err != nil {
		q.CloseWithError(0, "")
		return nil, err
	}
	return &quicConn{q: q, transport: t, local: local, remote: remote, peer: p, key: key}, nil
}

// Listen accepts connections at addr.
func (t *quicTransport) Listen(addr ma.Multiaddr) (transport.Listener, error) {
	conf := &tls.Config{
		NextProtos: []string{alpn},
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			k, ok := hello.Context().Value(knockKey{}).(*knock)
			if !ok {
				return nil, errors.New("a handshake that did not come through the door") // a bug
			}
			from := &caller{addr: hello.Conn.RemoteAddr(), bad: func() { k.judged.Store(true) }}
			conf, _, err := t.admission.config("", from)
			return conf, err
		},
	}
	l, err := t.sockets.ListenQUICAndAssociate(t, addr, conf, allowWindow)
	if err != nil {
		return nil, err
	}
	return &quicListener{Listener: l, transport: t}, nil
}

// knockKey finds the knock in a connection's context.
type knockKey struct{}

// arrive is called by quic-go with the first packet of a connection. The knock
// ends with the handshake, or with the connection.
func (t *quicTransport) arrive(ctx context.Context, info *quic.ClientInfo) (context.Context, error) {
	k := t.door.enter(addrOf(info.RemoteAddr), nil)
	if k == nil {
		err := errors.New("too many unfinished handshakes")
		t.admission.refusals.refuse(Crowded, info.RemoteAddr, err)
		return ctx, err
	}
	context.AfterFunc(ctx, func() {
		if t.door.leave(k) && !k.judged.Load() {
			t.ended(info.RemoteAddr, context.Cause(ctx))
		}
	})
	return context.WithValue(ctx, knockKey{}, k), nil
}

// ended is told why a handshake ended before there was a certificate.
func (t *quicTransport) ended(from net.Addr, err error) {
	why := reasonOfQUIC(err)
	if why == Abandoned || why == Silent && t.neighbour(from) {
		t.admission.refusals.expect(why, from, err)
		return
	}
	t.admission.refusals.refuse(why, from, err)
}

// reasonOfQUIC says why a handshake ended before there was a certificate.
func reasonOfQUIC(err error) Reason {
	var idle *quic.IdleTimeoutError
	var late *quic.HandshakeTimeoutError
	if errors.As(err, &idle) || errors.As(err, &late) {
		return Silent
	}
	// Whoever closes in the middle has to say so in QUIC's name, not the application's.
	var app *quic.ApplicationError
	var closed *quic.TransportError
	if errors.As(err, &app) && app.Remote ||
		errors.As(err, &closed) && closed.Remote && (closed.ErrorCode == quic.ApplicationErrorErrorCode || closed.ErrorCode == quic.NoError) {
		return Abandoned
	}
	return NotFilch
}

// mustProveAddress is asked by quic-go before arrive.
func (t *quicTransport) mustProveAddress(a net.Addr) bool { return t.door.crowded(addrOf(a)) }

type quicListener struct {
	quicreuse.Listener
	transport *quicTransport
}

// Accept returns the next connection whose handshake, and so its certificate, is good.
func (l *quicListener) Accept() (transport.CapableConn, error) {
	for {
		q, err := l.Listener.Accept(context.Background())
		if err != nil {
			return nil, err
		}
		if k, ok := q.Context().Value(knockKey{}).(*knock); ok {
			l.transport.door.leave(k)
		}
		c, err := l.admitted(q)
		if err != nil {
			q.CloseWithError(0, "")
			continue
		}
		return c, nil
	}
}

func (l *quicListener) admitted(q *quic.Conn) (transport.CapableConn, error) {
	// The handshake has judged this very certificate; here it only says who it was.
	key, err := libp2ptls.PubKeyFromCertChain(q.ConnectionState().TLS.PeerCertificates)
	if err != nil {
		return nil, err
	}
	id, err := peer.IDFromPublicKey(key)
	if err != nil {
		return nil, err
	}
	remote, err := quicreuse.ToQuicMultiaddr(q.RemoteAddr(), quic.Version1)
	if err != nil {
		return nil, err
	}
	return l.transport.conn(q, id, key, remote)
}

// Multiaddr returns where the listener listens.
func (l *quicListener) Multiaddr() ma.Multiaddr {
	return l.Multiaddrs()[0]
}

// quicConn is a connection of two members.
type quicConn struct {
	network.NullScope
	q             *quic.Conn
	transport     *quicTransport
	local, remote ma.Multiaddr
	peer          peer.ID
	key           crypto.PubKey
}

// Close closes the connection.
func (c *quicConn) Close() error { return c.q.CloseWithError(0, "") }

// CloseWithError closes the connection and tells the peer the code.
func (c *quicConn) CloseWithError(code network.ConnErrorCode) error {
	return c.q.CloseWithError(quic.ApplicationErrorCode(code), "")
}

// IsClosed tells whether the connection has ended.
func (c *quicConn) IsClosed() bool { return c.q.Context().Err() != nil }

// As gives access to the QUIC connection.
func (c *quicConn) As(target any) bool {
	if q, ok := target.(**quic.Conn); ok {
		*q = c.q
		return true
	}
	return false
}

// OpenStream opens a stream, and waits while the peer allows no more of them.
func (c *quicConn) OpenStream(ctx context.Context) (network.MuxedStream, error) {
	s, err := c.q.OpenStreamSync(ctx)
	if err != nil {
		return nil, streamError(err)
	}
	return quicStream{s}, nil
}

// AcceptStream returns the next stream that the peer opened.
func (c *quicConn) AcceptStream() (network.MuxedStream, error) {
	s, err := c.q.AcceptStream(context.Background())
	if err != nil {
		return nil, streamError(err)
	}
	return quicStream{s}, nil
}

// LocalPeer returns this node.
func (c *quicConn) LocalPeer() peer.ID { return c.transport.admission.self.ID() }

// RemotePeer returns the other node.
func (c *quicConn) RemotePeer() peer.ID { return c.peer }

// RemotePublicKey returns the other node's key.
func (c *quicConn) RemotePublicKey() crypto.PubKey { return c.key }

// LocalMultiaddr returns this end's address.
func (c *quicConn) LocalMultiaddr() ma.Multiaddr { return c.local }

// RemoteMultiaddr returns the other end's address.
func (c *quicConn) RemoteMultiaddr() ma.Multiaddr { return c.remote }

// Transport returns the transport that made the connection.
func (c *quicConn) Transport() transport.Transport { return c.transport }

// Scope allows everything: the peer is admitted.
func (c *quicConn) Scope() network.ConnScope { return &c.NullScope }

// ConnState names the transport.
func (c *quicConn) ConnState() network.ConnectionState {
	return network.ConnectionState{Transport: "quic-v1"}
}

// quicStream translates quic-go's streams and errors into libp2p's.
type quicStream struct{ *quic.Stream }

func (s quicStream) Read(b []byte) (int, error) {
	n, err := s.Stream.Read(b)
	return n, streamError(err)
}

func (s quicStream) Write(b []byte) (int, error) {
	n, err := s.Stream.Write(b)
	return n, streamError(err)
}

// Close ends both directions: what was written still arrives.
func (s quicStream) Close() error {
	s.Stream.CancelRead(0)
	return s.Stream.Close()
}

func (s quicStream) CloseRead() error {
	s.Stream.CancelRead(0)
	return nil
}

func (s quicStream) CloseWrite() error { return s.Stream.Close() }

func (s quicStream) Reset() error { return s.ResetWithError(0) }

func (s quicStream) ResetWithError(code network.StreamErrorCode) error {
	s.Stream.CancelRead(quic.StreamErrorCode(code))
	s.Stream.CancelWrite(quic.StreamErrorCode(code))
	return nil
}

// streamError gives errors of streams and connections the types that libp2p's
// callers look for.
func streamError(err error) error {
	var s *quic.StreamError
	var c *quic.ApplicationError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &s):
		return &network.StreamError{ErrorCode: network.StreamErrorCode(clamp(uint64(s.ErrorCode))), Remote: s.Remote, TransportError: s}
	case errors.As(err, &c):
		return &network.ConnError{ErrorCode: network.ConnErrorCode(clamp(uint64(c.ErrorCode))), Remote: c.Remote, TransportError: c}
	}
	return err
}

func clamp(code uint64) uint32 { return uint32(min(code, math.MaxUint32)) }

// alertOf makes a RefusedError of a TLS alert that the peer sent.
func alertOf(p peer.ID, err error) error {
	var q *quic.TransportError
	if errors.As(err, &q) && q.Remote && q.ErrorCode.IsCryptoError() {
		return &RefusedError{Peer: p, Cause: err}
	}
	if isAlert(err) {
		return &RefusedError{Peer: p, Cause: err}
	}
	return err
}

// isAlert tells whether an error of a TLS connection is an alert from the other
// side; crypto/tls has no type for that.
func isAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error"
}
