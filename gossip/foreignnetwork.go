package gossip

import (
	"context"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multiaddr"

	"github.com/filchsched/filch/gossip/host"
	"github.com/filchsched/filch/gossip/transport"
)

// ForeignNetwork is the Network of a libp2p host that belongs to the program around the cluster.
type ForeignNetwork struct{ foreign *host.Foreign }

var (
	_ Network              = (*ForeignNetwork)(nil)
	_ transport.RoundTrips = (*ForeignNetwork)(nil)
)

// NewForeignNetwork makes a Network of f, which its owner closes after the Cluster has stopped.
func NewForeignNetwork(f *host.Foreign) *ForeignNetwork { return &ForeignNetwork{f} }

// ID is who the host is.
func (n *ForeignNetwork) ID() peer.ID { return n.foreign.ID() }

// Addrs is where others reach the host.
func (n *ForeignNetwork) Addrs() []multiaddr.Multiaddr { return n.foreign.Addrs() }

// Connect has both sides admit each other.
func (n *ForeignNetwork) Connect(ctx context.Context, to peer.AddrInfo) error {
	return n.foreign.Connect(ctx, to)
}

// Learn adds addresses of a peer.
func (n *ForeignNetwork) Learn(id peer.ID, addrs []multiaddr.Multiaddr) { n.foreign.Learn(id, addrs) }

// Forget drops what is known of a peer.
func (n *ForeignNetwork) Forget(id peer.ID) { n.foreign.Forget(id) }

// Knows reports whether there is a connection with a peer or an address to try.
func (n *ForeignNetwork) Knows(id peer.ID) bool { return n.foreign.Knows(id) }

// SendPacket sends a packet on a stream.
func (n *ForeignNetwork) SendPacket(to peer.ID, kind byte, b []byte) error {
	return n.foreign.SendPacket(to, kind, b)
}

// HandlePackets has f called for packets of a kind.
func (n *ForeignNetwork) HandlePackets(kind byte, f func(from Source, b []byte)) {
	if f == nil {
		n.foreign.HandlePackets(kind, nil)
		return
	}
	n.foreign.HandlePackets(kind, func(from host.Source, b []byte) { f(Source{ID: from.ID}, b) })
}

// OpenStream opens a stream to a peer.
func (n *ForeignNetwork) OpenStream(ctx context.Context, to peer.ID, p protocol.ID) (Stream, error) {
	s, err := n.foreign.OpenStream(ctx, to, p)
	if err != nil {
		return nil, err
	}
	return hostStream{s}, nil
}

// HandleStreams has f called for streams of a protocol.
func (n *ForeignNetwork) HandleStreams(p protocol.ID, f func(Stream)) {
	if f == nil {
		n.foreign.Handle(p, nil)
		return
	}
	n.foreign.Handle(p, func(s network.Stream) { f(hostStream{s}) })
}

// RTT is the round trip to a peer, 0 if it is not known.
func (n *ForeignNetwork) RTT(id peer.ID) time.Duration { return n.foreign.RTT(id) }
