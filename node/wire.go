package node

import (
	"slices"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"

	"github.com/filchsched/filch/gossip"
	"github.com/filchsched/filch/gossip/core"
)

// A wire is the network below a node's cluster, with what a node needs besides.
type wire interface {
	gossip.Network
	// Found delivers members that were found on the local network; nil if nobody looks.
	Found() <-chan peer.AddrInfo
	// Known are the peers remembered from before, the one met last first.
	Known() []peer.AddrInfo
	Close() error
}

// announced are the addresses that fit into an announcement, as text, in a stable order.
func announced(addrs []multiaddr.Multiaddr) []string {
	var all []string
	for _, a := range addrs {
		if s := a.String(); len(s) <= core.MaxAddrLen {
			all = append(all, s)
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return all[:min(len(all), core.MaxAddrs)]
}
