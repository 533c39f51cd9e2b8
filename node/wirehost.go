package node

import (
	"slices"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/filchsched/filch/gossip"
	"github.com/filchsched/filch/gossip/host"
)

// openWire opens the node's port. dir is nil without a disk.
func openWire(n *Node, dir *dataDir) (wire, error) {
	if open := n.config.inMemory; open != nil {
		return memoryWire{open(n.self.identity.ID())}, nil
	}
	if n.config.Host != nil {
		return openForeign(n)
	}
	c := host.Config{
		Identity: n.self.identity, Secret: n.self.secret,
		Listen: n.config.Listen, MDNS: n.config.MDNS,
		Logger: n.log,
	}
	if dir != nil {
		c.BookFile = dir.file(filePeers)
	}
	h, err := host.New(c)
	if err != nil {
		return nil, err
	}
	return hostWire{gossip.NewHostNetwork(h), h}, nil
}

// hostWire is the libp2p host in the form that a node needs.
type hostWire struct {
	*gossip.HostNetwork
	host *host.Host
}

// Found implements wire.
func (w hostWire) Found() <-chan peer.AddrInfo { return w.host.Found() }

// Known implements wire.
func (w hostWire) Known() []peer.AddrInfo { return w.host.Known() }

// Close implements wire.
func (w hostWire) Close() error { return w.host.Close() }

// collect tells what the host counted.
func (w hostWire) collect(m measures) { collectHost(m, w.host.Stats()) }

func collectHost(m measures, s host.Stats) {
	m.counter("admitted_total", "Connections admitted, in both directions.", s.Admitted, nil)
	m.gauge("connections", "Connections there are.", float64(s.Connections), nil)
	m.gauge("handshakes", "Connections whose other side has not proven itself yet.", float64(s.Pending), nil)
	for _, reason := range reasons {
		m.counter("refused_total", "Connections refused, in both directions, by reason.", s.Refused[reason], []string{"reason"}, string(reason))
	}
	m.counter("summons_total", "Peers that this node asked to call, because they could not be dialled, and peers that it called because they asked.", s.Summoned, []string{"side"}, "asked")
	m.counter("summons_total", "Peers that this node asked to call, because they could not be dialled, and peers that it called because they asked.", s.Called, []string{"side"}, "called")
	m.counter("packets_sent_total", "Packets sent, by way.", s.SentDatagrams, []string{"way"}, "udp")
	m.counter("packets_sent_total", "Packets sent, by way.", s.SentOnStreams, []string{"way"}, "stream")
	m.counter("packets_received_total", "Packets received, by way.", s.GotDatagrams, []string{"way"}, "udp")
	m.counter("packets_received_total", "Packets received, by way.", s.GotOnStreams, []string{"way"}, "stream")
	m.counter("packets_sent_bytes_total", "Bytes of packets sent.", s.SentBytes, nil)
	m.counter("packets_received_bytes_total", "Bytes of packets received.", s.GotBytes, nil)
	for reason, count := range map[string]uint64{
		"limited": s.Dropped.Limited, "unknown": s.Dropped.Unknown, "oversized": s.Dropped.Oversized,
		"bad_probe": s.Dropped.BadProbe, "queue_full": s.Dropped.QueueFull, "no_path": s.Dropped.NoPath,
	} {
		m.counter("packets_dropped_total", "Packets dropped, by reason.", count, []string{"reason"}, reason)
	}
}

// reasons are all there are, so that a counter is there before its first count.
var reasons = []host.Reason{
	host.WrongCluster, host.NoCertificate, host.Expired, host.NotForPeer, host.Forged,
	host.NotFilch, host.Abandoned, host.Silent, host.Crowded, host.TooMany,
}

// overStreams lists the present members whose packets go over streams, because UDP does
// not get through to them.
func (n *Node) overStreams() (names []string) {
	w, ok := n.network.wire.(hostWire)
	if !ok {
		return nil
	}
	for _, m := range n.network.cluster.Members() {
		if !m.Self && m.State.Present() && w.host.PacketsOver(m.ID) == "stream" {
			names = append(names, m.Name)
		}
	}
	slices.Sort(names)
	return names
}
