package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
	ma "github.com/multiformats/go-multiaddr"
)

// helloProtocol is the first stream of a connection, opened by the side that
// dialled. Each side says where it listens and where it sees the other. It stands
// in for libp2p's identify, which says more, to anybody, and again at every change.
//
// Its answer is also the proof that the other side admitted this node: in TLS 1.3
// the side that dials is through before the other has seen its certificate.
const helloProtocol protocol.ID = "/filch/hello/1"

const (
	helloTime = 5 * time.Second
	maxHello  = 4 << 10 // bytes
)

// A hello is what both sides say.
type hello struct {
	seen  ma.Multiaddr   // where the speaker sees the listener
	addrs []ma.Multiaddr // where the speaker listens, at most maxAddrs
}

var errHello = errors.New("malformed hello")

// marshal writes fields of one length byte each: seen, number of addresses, addresses.
// Readers skip what a later version adds behind them.
func (h hello) marshal() []byte {
	addrs := make([][]byte, 0, maxAddrs)
	for _, a := range h.addrs {
		if b := a.Bytes(); len(addrs) < maxAddrs && len(b) < 256 {
			addrs = append(addrs, b)
		}
	}
	b := appendField(nil, h.seen.Bytes())
	b = append(b, byte(len(addrs)))
	for _, a := range addrs {
		b = appendField(b, a)
	}
	return b
}

func appendField(b, field []byte) []byte { return append(append(b, byte(len(field))), field...) }

func parseHello(b []byte) (hello, error) {
	var h hello
	field := func() []byte {
		if len(b) == 0 || len(b) < 1+int(b[0]) {
			b = nil
			return nil
		}
		end := 1 + int(b[0])
		f := b[1:end]
		b = b[end:]
		return f
	}
	seen := field()
	if len(seen) > 0 {
		a, err := ma.NewMultiaddrBytes(seen)
		if err != nil {
			return hello{}, errHello
		}
		h.seen = a
	}
	if len(b) == 0 || b[0] > maxAddrs {
		return hello{}, errHello
	}
	n := int(b[0])
	b = b[1:]
	for range n {
		a, err := ma.NewMultiaddrBytes(field())
		if err != nil {
			return hello{}, errHello
		}
		h.addrs = append(h.addrs, a)
	}
	return h, nil
}

// greet says hello on a connection that this node dialled and waits for the answer.
func (h *Host) greet(ctx context.Context, c network.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, helloTime)
	defer cancel()
	id := c.RemotePeer()
	s, err := c.NewStream(ctx)
	if err != nil {
		return h.whyClosed(c, err)
	}
	stop := context.AfterFunc(ctx, func() { s.Reset() })
	defer stop()
	lazy := lazily(s, helloProtocol)
	begun := time.Now()
	if _, err := lazy.Write(h.hello(c)); err == nil {
		// Writes are lazy: a failure shows at the read, with the reason that the peer gave.
		_ = lazy.CloseWrite()
	}
	b, err := io.ReadAll(io.LimitReader(lazy, maxHello))
	if err != nil {
		s.Reset()
		if ctx.Err() != nil {
			return fmt.Errorf("%s does not answer: %w", id, ctx.Err())
		}
		return h.whyClosed(c, err)
	}
	lazy.Close()
	h.idle.tookTurn(c, time.Since(begun))
	said, err := parseHello(b)
	if err != nil {
		return err
	}
	h.greeted(c, said)
	return nil
}

// whyClosed finds out whether the peer closed the connection because it refused
// this node's certificate.
func (h *Host) whyClosed(c network.Conn, err error) error {
	id := c.RemotePeer()
	if refused := alertOf(id, err); refused != err {
		return refused
	}
	var sc *secureConn
	if c.As(&sc) && sc.alert.Load() != nil {
		return &RefusedError{Peer: id, Cause: *sc.alert.Load()}
	}
	return fmt.Errorf("%s closed the connection: %w", id, err)
}

// answer answers a hello of a peer that dialled this node.
func (h *Host) answer(s network.Stream) {
	s.SetDeadline(time.Now().Add(helloTime))
	b, err := io.ReadAll(io.LimitReader(s, maxHello))
	if err != nil {
		s.Reset()
		return
	}
	said, err := parseHello(b)
	if err != nil {
		s.Reset()
		return
	}
	h.greeted(s.Conn(), said) // whoever has the answer can count on it
	if _, err := s.Write(h.hello(s.Conn())); err != nil {
		s.Reset()
		return
	}
	s.Close()
}

func (h *Host) hello(c network.Conn) []byte {
	return hello{seen: c.RemoteMultiaddr(), addrs: h.Addrs()}.marshal()
}

// greeted takes what the peer said. Its addresses are a member's word about
// itself; whoever answers there has to show that peer's key anyway.
func (h *Host) greeted(c network.Conn, said hello) {
	id := c.RemotePeer()
	h.Learn(id, said.addrs)
	if len(said.addrs) > 0 && quicAddress.Matches(c.RemoteMultiaddr()) {
		h.packets.learn(id, []ma.Multiaddr{c.RemoteMultiaddr()})
	}
	if _, tcp := c.RemoteMultiaddr().ValueForProtocol(ma.P_TCP); tcp == nil {
		h.packets.suspect(id)
	}
	if c.Stat().Direction == network.DirOutbound {
		h.book.worked(id, c.RemoteMultiaddr(), h.now())
	} else if len(said.addrs) > 0 {
		h.book.met(id, said.addrs, h.now())
	}
	if said.seen != nil {
		h.observed.saw(id, said.seen, h.now())
	}
}
