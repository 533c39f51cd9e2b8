// Package inmemory lets package nodetest put nodes on a network in memory, which users of
// package node need not see.
package inmemory

import (
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/filchsched/filch/gossip"
)

// Use has a node of config, a *node.Config, open its network by a function instead of a port. Package node sets
// it.
var Use func(config any, open func(peer.ID) Network)

// A Network is that of one node. Close takes the node off it.
type Network interface {
	gossip.Network
	Close()
}
