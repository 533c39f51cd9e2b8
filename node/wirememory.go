package node

import (
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/filchsched/filch/node/internal/inmemory"
)

func init() {
	inmemory.Use = func(config any, open func(peer.ID) inmemory.Network) {
		config.(*Config).inMemory = open
	}
}

// memoryWire is a network in memory in the form that a node needs.
type memoryWire struct{ inmemory.Network }

// Found implements wire.
func (memoryWire) Found() <-chan peer.AddrInfo { return nil }

// Known implements wire.
func (memoryWire) Known() []peer.AddrInfo { return nil }

// Close implements wire.
func (w memoryWire) Close() error {
	w.Network.Close()
	return nil
}
