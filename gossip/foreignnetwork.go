package gossip

import (
	"context"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/filchsched/filch/gossip/host"
	"github.com/filchsched/filch/gossip/transport"
)

// ForeignNetwork is the Network of a libp2p host that belongs to the program around the cluster. What is not here is the
// Foreign's own.
type ForeignNetwork struct{ *host.Foreign }

var (
	_ Network              = (*ForeignNetwork)(nil)
	_ transport.RoundTrips = (*ForeignNetwork)(nil)
)

// NewForeignNetwork makes a Network of f, which its owner closes after the Cluster has stopped.
func NewForeignNetwork(f *host.Foreign) *ForeignNetwork { return &ForeignNetwork{f} }

// HandlePackets has f called for packets of a kind.
func (n *ForeignNetwork) HandlePackets(kind byte, f func(from Source, b []byte)) {
	if f == nil {
		n.Foreign.HandlePackets(kind, nil)
		return
	}
	n.Foreign.HandlePackets(kind, func(from host.Source, b []byte) { f(Source{ID: from.ID}, b) })
}

// OpenStream opens a stream to a peer.
func (n *ForeignNetwork) OpenStream(ctx context.Context, to peer.ID, p protocol.ID) (Stream, error) {
	s, err := n.Foreign.OpenStream(ctx, to, p)
	if err != nil {
		return nil, err
	}
	return hostStream{s}, nil
}

// HandleStreams has f called for streams of a protocol.
func (n *ForeignNetwork) HandleStreams(p protocol.ID, f func(Stream)) {
	if f == nil {
		n.Foreign.Handle(p, nil)
		return
	}
	n.Foreign.Handle(p, func(s network.Stream) { f(hostStream{s}) })
}
