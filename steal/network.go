package steal

import (
	"context"
	"io"

	"github.com/filchsched/filch/steal/core"
)

// A Network opens streams to peers and accepts theirs. The node makes one of its libp2p
// host, a guest of its socket, tests have one in memory.
type Network interface {
	// Open opens a stream, connecting first if need be, and may return before the peer
	// knows of it. ctx bounds the opening only.
	Open(ctx context.Context, to core.PeerID, protocol string) (Stream, error)
	// Handle has f called, on a goroutine of its own, for each stream that a peer opens
	// for the protocol; nil ends that.
	Handle(protocol string, f func(from core.PeerID, s Stream))
}

// A Stream is a reliable, ordered, flow-controlled pipe in both directions. Write may be
// called by one goroutine at a time and Read by another; Reset ends both at once.
type Stream interface {
	io.ReadWriteCloser
	CloseWrite() error
	Reset() error
}
