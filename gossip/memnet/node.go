package memnet

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multiaddr"

	"github.com/filchsched/filch/gossip/transport"
)

// ErrUnreachable says that a node is not there, or not any more.
var ErrUnreachable = errors.New("unreachable")

// Node is one node's end of a World: a transport.Network.
type Node struct {
	world *World
	id    peer.ID
	addr  netip.AddrPort

	mu      sync.RWMutex
	state   state
	packets map[byte]func(transport.Source, []byte)
	streams map[protocol.ID]func(transport.Stream)
	open    map[*stream]bool

	packetsSent, packetBytesSent         atomic.Int64
	packetsReceived, packetBytesReceived atomic.Int64
	streamsOpened                        atomic.Int64
	streamBytesSent, streamBytesReceived atomic.Int64
}

type state byte

const (
	running state = iota
	crashed       // says nothing to anybody
	closed        // resets what others hold
)

var _ transport.Network = (*Node)(nil)

func newNode(w *World, id peer.ID) *Node {
	// The address is made of the identity: a node that starts again has its old one.
	ip := transport.IP(id)
	addr, _ := netip.AddrFromSlice(ip)
	return &Node{
		world:   w,
		id:      id,
		addr:    netip.AddrPortFrom(addr, binary.BigEndian.Uint16(ip[2:])|1024),
		packets: make(map[byte]func(transport.Source, []byte)),
		streams: make(map[protocol.ID]func(transport.Stream)),
		open:    make(map[*stream]bool),
	}
}

// Traffic is payload since a Node was made: what it handed over to be sent, whether it
// arrived or not, and what it was handed.
type Traffic struct {
	PacketsSent, PacketBytesSent         int64
	PacketsReceived, PacketBytesReceived int64
	StreamsOpened                        int64 // by this node
	StreamBytesSent, StreamBytesReceived int64
}

// Bytes is all payload, sent and received.
func (t Traffic) Bytes() int64 {
	return t.PacketBytesSent + t.PacketBytesReceived + t.StreamBytesSent + t.StreamBytesReceived
}

// Minus is the traffic since an earlier one of the same node.
func (t Traffic) Minus(earlier Traffic) Traffic {
	return Traffic{
		PacketsSent: t.PacketsSent - earlier.PacketsSent, PacketBytesSent: t.PacketBytesSent - earlier.PacketBytesSent,
		PacketsReceived: t.PacketsReceived - earlier.PacketsReceived, PacketBytesReceived: t.PacketBytesReceived - earlier.PacketBytesReceived,
		StreamsOpened:   t.StreamsOpened - earlier.StreamsOpened,
		StreamBytesSent: t.StreamBytesSent - earlier.StreamBytesSent, StreamBytesReceived: t.StreamBytesReceived - earlier.StreamBytesReceived,
	}
}

// Traffic may be called concurrently; its numbers are not of one instant.
func (n *Node) Traffic() Traffic {
	return Traffic{
		PacketsSent: n.packetsSent.Load(), PacketBytesSent: n.packetBytesSent.Load(),
		PacketsReceived: n.packetsReceived.Load(), PacketBytesReceived: n.packetBytesReceived.Load(),
		StreamsOpened:   n.streamsOpened.Load(),
		StreamBytesSent: n.streamBytesSent.Load(), StreamBytesReceived: n.streamBytesReceived.Load(),
	}
}

// ID is who the node is.
func (n *Node) ID() peer.ID { return n.id }

// Addrs is one address that looks like one. Peers are reached by their ID.
func (n *Node) Addrs() []multiaddr.Multiaddr {
	a, err := multiaddr.NewMultiaddr(fmt.Sprintf("/ip6/%s/udp/%d/quic-v1", n.addr.Addr(), n.addr.Port()))
	if err != nil {
		return nil
	}
	return []multiaddr.Multiaddr{a}
}

// Connect takes a round trip, or fails like OpenStream.
func (n *Node) Connect(ctx context.Context, to peer.AddrInfo) error {
	_, err := n.reach(ctx, to.ID)
	return err
}

// Learn does nothing: peers are reached by their ID.
func (n *Node) Learn(peer.ID, []multiaddr.Multiaddr) {}

// Knows is true: peers are reached by their ID.
func (n *Node) Knows(peer.ID) bool { return true }

// Forget does nothing.
func (n *Node) Forget(peer.ID) {}

// Crash takes the node away without a word. Its user's calls go nowhere from then on, or
// wait for their contexts and deadlines.
func (n *Node) Crash() { n.end(crashed) }

// Close ends the node as the end of a process would: others find its streams reset.
func (n *Node) Close() { n.end(closed) }

func (n *Node) end(how state) {
	n.mu.Lock()
	if n.state == running {
		n.state = how
	}
	held := n.open
	n.open = make(map[*stream]bool)
	n.mu.Unlock()
	for s := range held {
		s.fail(how == closed)
	}
}

func (n *Node) is(s state) bool {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.state == s
}

// HandlePackets has f called for packets of a kind; nil ends that.
func (n *Node) HandlePackets(kind byte, f func(transport.Source, []byte)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if f == nil {
		delete(n.packets, kind)
		return
	}
	n.packets[kind] = f
}

// HandleStreams has f called for streams of a protocol; nil ends that.
func (n *Node) HandleStreams(p protocol.ID, f func(transport.Stream)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if f == nil {
		delete(n.streams, p)
		return
	}
	n.streams[p] = f
}

// SendPacket sends a packet on its way.
func (n *Node) SendPacket(to peer.ID, kind byte, b []byte) error {
	if len(b) > transport.MaxPacket {
		return fmt.Errorf("a packet of %d bytes, the most is %d", len(b), transport.MaxPacket)
	}
	n.packetsSent.Add(1)
	n.packetBytesSent.Add(int64(len(b)))
	latency, open := n.world.open(n.id, to)
	if !n.is(running) {
		return nil
	}
	b = append([]byte(nil), b...)
	n.world.tapped(n.id, to, kind, b)
	if !open || n.world.lost() {
		return nil
	}
	time.AfterFunc(latency, func() {
		if _, open := n.world.open(n.id, to); !open {
			return
		}
		if d := n.world.peer(to); d != nil {
			d.deliver(transport.Source{Addr: n.addr}, kind, b)
		}
	})
	return nil
}

// Inject delivers a packet as if it had come over the wire from that source: for tests
// of what strangers and recordings can do.
func (n *Node) Inject(from transport.Source, kind byte, b []byte) {
	n.deliver(from, kind, append([]byte(nil), b...))
}

func (n *Node) deliver(from transport.Source, kind byte, b []byte) {
	n.mu.RLock()
	f := n.packets[kind]
	up := n.state == running
	n.mu.RUnlock()
	if !up {
		return
	}
	n.packetsReceived.Add(1)
	n.packetBytesReceived.Add(int64(len(b)))
	if f != nil {
		f(from, b)
	}
}

// handshakeRetry is how long a handshake waits before it repeats a packet: nothing is known
// of the round trip yet, so it is TCP's and QUIC's initial guess.
const handshakeRetry = time.Second

// reach takes a round trip to a peer. If there is no way it takes until ctx is done.
func (n *Node) reach(ctx context.Context, to peer.ID) (*Node, error) {
	there, open := n.world.open(n.id, to)
	back, openBack := n.world.open(to, n.id)
	d := n.world.peer(to)
	if !open || !openBack || !n.is(running) || d != nil && d.is(crashed) {
		<-ctx.Done()
		return nil, fmt.Errorf("%s: %w: %w", to, ErrUnreachable, context.Cause(ctx))
	}
	for range 2 { // the first packet in either direction
		for n.world.lost() {
			there += handshakeRetry
		}
	}
	trip := time.NewTimer(there + back)
	defer trip.Stop()
	select {
	case <-trip.C:
	case <-ctx.Done():
		return nil, fmt.Errorf("%s: %w", to, context.Cause(ctx))
	}
	if d == nil || !d.is(running) {
		return nil, fmt.Errorf("%s: %w", to, ErrUnreachable)
	}
	return d, nil
}

// OpenStream takes a round trip.
func (n *Node) OpenStream(ctx context.Context, to peer.ID, p protocol.ID) (transport.Stream, error) {
	d, err := n.reach(ctx, to)
	if err != nil {
		return nil, err
	}
	d.mu.RLock()
	f := d.streams[p]
	d.mu.RUnlock()
	if f == nil {
		return nil, fmt.Errorf("%s does not speak %s", to, p)
	}
	n.streamsOpened.Add(1)
	mine, theirs := pair(n, d)
	if !n.hold(mine) || !d.hold(theirs) {
		mine.Reset()
		return nil, fmt.Errorf("%s: %w", to, ErrUnreachable)
	}
	go f(theirs)
	return mine, nil
}

func (n *Node) hold(s *stream) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.state != running {
		return false
	}
	n.open[s] = true
	return true
}

func (n *Node) release(s *stream) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.open, s)
}
