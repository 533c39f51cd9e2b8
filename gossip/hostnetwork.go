package gossip

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multiaddr"

	"github.com/filchsched/filch/gossip/host"
	"github.com/filchsched/filch/gossip/transport"
)

// HostNetwork is the Network of a node's libp2p host. The host remains its owner's, who
// closes it after the Cluster has stopped.
type HostNetwork struct{ host *host.Host }

var (
	_ Network         = (*HostNetwork)(nil)
	_ transport.Heard = (*HostNetwork)(nil)

	_ transport.RoundTrips = (*HostNetwork)(nil)
	_ transport.Doubts     = (*HostNetwork)(nil)
)

// NewHostNetwork makes a Network of h.
func NewHostNetwork(h *host.Host) *HostNetwork { return &HostNetwork{h} }

// ID is who the host is.
func (n *HostNetwork) ID() peer.ID { return n.host.ID() }

// Addrs is where others reach the host.
func (n *HostNetwork) Addrs() []multiaddr.Multiaddr { return n.host.Addrs() }

// Connect has both sides admit each other.
func (n *HostNetwork) Connect(ctx context.Context, to peer.AddrInfo) error {
	return n.host.Connect(ctx, to)
}

// Learn adds addresses of a peer.
func (n *HostNetwork) Learn(id peer.ID, addrs []multiaddr.Multiaddr) { n.host.Learn(id, addrs) }

// Forget drops what is known of a peer.
func (n *HostNetwork) Forget(id peer.ID) { n.host.Forget(id) }

// Knows reports whether there is a connection with a peer or an address to try.
func (n *HostNetwork) Knows(id peer.ID) bool {
	h := n.host.Libp2p()
	return h.Network().Connectedness(id) == network.Connected || len(h.Peerstore().Addrs(id)) > 0
}

// SendPacket sends a packet as a datagram, or on a stream where UDP is blocked.
func (n *HostNetwork) SendPacket(to peer.ID, kind byte, b []byte) error {
	return n.host.SendPacket(to, kind, b)
}

// HandlePackets has f called for packets of a kind.
func (n *HostNetwork) HandlePackets(kind byte, f func(from Source, b []byte)) {
	if f == nil {
		n.host.HandlePackets(kind, nil)
		return
	}
	n.host.HandlePackets(kind, func(from host.Source, b []byte) {
		f(Source{ID: from.ID, Addr: from.Addr}, b)
	})
}

// OpenStream opens a stream to a peer.
func (n *HostNetwork) OpenStream(ctx context.Context, to peer.ID, p protocol.ID) (Stream, error) {
	s, err := n.host.OpenStream(ctx, to, p)
	if err != nil {
		return nil, err
	}
	return hostStream{s}, nil
}

// HandleStreams has f called for streams of a protocol.
func (n *HostNetwork) HandleStreams(p protocol.ID, f func(Stream)) {
	if f == nil {
		n.host.Handle(p, nil)
		return
	}
	n.host.Handle(p, func(s network.Stream) { f(hostStream{s}) })
}

// RTT is the round trip of a connection with a peer, 0 if there is none.
func (n *HostNetwork) RTT(id peer.ID) time.Duration { return n.host.RTT(id) }

// Heard tells the host that a peer has just answered from an address.
func (n *HostNetwork) Heard(id peer.ID, from Source) { n.host.Heard(id, from.Addr) }

// Doubt has the host find out whether datagrams still get to a peer.
func (n *HostNetwork) Doubt(id peer.ID) { n.host.Doubt(id) }

// Hinted gives the host an address for a peer of which it has none: of a newcomer whose
// record is still to be fetched, and whose probe is to be answered.
func (n *HostNetwork) Hinted(id peer.ID, from Source) {
	if from.ID != "" || !from.Addr.IsValid() || len(n.host.Libp2p().Peerstore().Addrs(id)) > 0 {
		return
	}
	if a, err := quicAddr(from.Addr); err == nil {
		n.host.Learn(id, []multiaddr.Multiaddr{a})
	}
}

// quicAddr is where QUIC is spoken at a UDP address: on the same port.
func quicAddr(at netip.AddrPort) (multiaddr.Multiaddr, error) {
	version := "ip6"
	if at.Addr().Unmap().Is4() {
		version = "ip4"
	}
	return multiaddr.NewMultiaddr(fmt.Sprintf("/%s/%s/udp/%d/quic-v1", version, at.Addr().Unmap().WithZone(""), at.Port()))
}

// hostStream is a stream of libp2p's.
type hostStream struct{ network.Stream }

// Peer is who is at the other end, by the handshake of the connection.
func (s hostStream) Peer() peer.ID { return s.Conn().RemotePeer() }
