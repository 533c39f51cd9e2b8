package transport

import (
	"context"
	"io"
	"net/netip"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multiaddr"
)

// MaxPacket is the largest packet, in bytes, that a Network has to carry in one piece:
// what fits into one Ethernet frame under IP, UDP and one more layer.
const MaxPacket = 1400

// Network is the world below a cluster: peers named by their IDs, packets that may be
// lost, streams that are reliable, and who is admitted to them. All methods may be called
// concurrently.
//
// The product's Network is the libp2p host of a node; gossip/memnet is one in memory.
type Network interface {
	// ID is who this node is.
	ID() peer.ID
	// Addrs is where others reach this node, as it is announced to them.
	Addrs() []multiaddr.Multiaddr
	// Connect reaches a peer and has both sides prove that they are members of the same
	// cluster.
	Connect(ctx context.Context, to peer.AddrInfo) error
	// Learn adds addresses under which a peer may be found; Forget drops a peer.
	Learn(id peer.ID, addrs []multiaddr.Multiaddr)
	Forget(id peer.ID)
	// Knows reports whether there is a connection with a peer or an address to try.
	Knows(id peer.ID) bool
	// SendPacket sends at most MaxPacket bytes and never blocks. An error says that the
	// packet was certainly not sent; nil says nothing. The bytes are the caller's again
	// when it returns.
	SendPacket(to peer.ID, kind byte, b []byte) error
	// HandlePackets has f called for the packets of a kind; nil ends that. f must not
	// block and may keep b.
	HandlePackets(kind byte, f func(from Source, b []byte))
	// OpenStream opens a stream to a peer, connecting first if need be.
	OpenStream(ctx context.Context, to peer.ID, p protocol.ID) (Stream, error)
	// HandleStreams has f called, on a goroutine of its own, for each stream that an
	// admitted peer opens for p; f closes the stream. nil ends that.
	HandleStreams(p protocol.ID, f func(Stream))
}

// Heard is what a Network may offer besides: to be told where peers are, by packets that
// were opened with the cluster's key.
type Heard interface {
	// Heard says that a peer has just answered a probe of this node from there: it is
	// there, now.
	Heard(id peer.ID, from Source)
	// Hinted says that a packet in a peer's name came from there. It may be a replay, so
	// it is worth something only where nothing better is known.
	Hinted(id peer.ID, from Source)
}

// Doubts is what a Network may offer besides, if it has several ways for a packet.
type Doubts interface {
	// Doubt says that something speaks against the way that packets to the peer take now:
	// it did not answer one in time. It must not block, and may be called concurrently.
	Doubt(id peer.ID)
}

// RoundTrips is what a Network may offer besides: how far away the peers are with whom
// there is a connection.
type RoundTrips interface {
	// RTT is the round trip to a peer, 0 if it is not known.
	RTT(id peer.ID) time.Duration
}

// Source is where a packet came from. At least one of the fields is set.
type Source struct {
	ID   peer.ID        // who sent it, if that is proven; "" if only the address is known
	Addr netip.AddrPort // the address that it came from
}

// Stream is a reliable, ordered connection with a peer that is proven to be Peer.
type Stream interface {
	io.ReadWriteCloser
	// CloseWrite tells the other side that nothing more will come.
	CloseWrite() error
	// Reset gives the stream up in both directions at once.
	Reset() error
	SetDeadline(t time.Time) error
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
	// Peer is who is at the other end.
	Peer() peer.ID
}
