package node

import (
	"fmt"

	libp2phost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/filchsched/filch/gossip"
	"github.com/filchsched/filch/gossip/host"
)

// foreignWire is the program's own libp2p host (Config.Host) in the form that a node needs.
type foreignWire struct {
	*gossip.ForeignNetwork
	foreign *host.Foreign
}

func openForeign(n *Node) (wire, error) {
	f, err := host.NewForeign(n.config.Host, n.self.identity, n.self.secret, n.log)
	if err != nil {
		return nil, err
	}
	return foreignWire{gossip.NewForeignNetwork(f), f}, nil
}

// Found implements wire.
func (foreignWire) Found() <-chan peer.AddrInfo { return nil }

// Known implements wire. The addresses of former members are the program's to remember, in its peerstore.
func (foreignWire) Known() []peer.AddrInfo { return nil }

// Close implements wire. The host stays.
func (w foreignWire) Close() error { return w.foreign.Close() }

// collect tells what was counted.
func (w foreignWire) collect(m measures) { collectHost(m, w.foreign.Stats()) }

// ofHost has the node be who the host is.
func (s *self) ofHost(h libp2phost.Host) error {
	id, err := host.ForeignIdentity(h)
	if err != nil {
		return fmt.Errorf("%w: host: %w", ErrConfig, err)
	}
	s.identity = id
	return nil
}
