package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/filchsched/filch/gossip"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// peerStreams is a node's wire as stealing sees it. Whoever is at the other end of a stream
// is a member: the wire admits nobody else. A PeerID is a peer ID as text.
type peerStreams struct{ wire gossip.Network }

// Open implements steal.Network.
func (p peerStreams) Open(ctx context.Context, to core.PeerID, name string) (steal.Stream, error) {
	id, err := peer.Decode(string(to))
	if err != nil {
		return nil, fmt.Errorf("a peer called %q: %w", clip(string(to)), err)
	}
	return p.wire.OpenStream(ctx, id, protocol.ID(name))
}

// Handle implements steal.Network.
func (p peerStreams) Handle(name string, f func(core.PeerID, steal.Stream)) {
	if f == nil {
		p.wire.HandleStreams(protocol.ID(name), nil)
		return
	}
	p.wire.HandleStreams(protocol.ID(name), func(s gossip.Stream) { f(core.PeerID(s.Peer().String()), s) })
}

// noStreams is the network of a node on its own.
type noStreams struct{}

var errAlone = errors.New("this node is on its own")

// Open implements steal.Network.
func (noStreams) Open(context.Context, core.PeerID, string) (steal.Stream, error) {
	return nil, errAlone
}

// Handle implements steal.Network.
func (noStreams) Handle(string, func(core.PeerID, steal.Stream)) {}
