package gossip

import (
	"context"

	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/filchsched/filch/gossip/transport"
)

// Network is the world below a Cluster; see transport.Network. HostNetwork makes one of
// the node's libp2p host; gossip/memnet has one in memory.
type Network = transport.Network

// Stream is a stream of a Network.
type Stream = transport.Stream

// Source is where a packet of a Network came from.
type Source = transport.Source

const (
	// newsPackets is the kind of the packets that carry news.
	newsPackets byte = 2
	// recordProtocol is how records are fetched; see records.go.
	recordProtocol protocol.ID = "/filch/record/1"
)

// contextUntil returns a context that ends with parent or when done is closed.
func contextUntil(parent context.Context, done <-chan struct{}) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	go func() {
		select {
		case <-done:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}
