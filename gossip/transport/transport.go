package transport

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// What memberlist uses of a Network.
const (
	// Protocol is the protocol of memberlist's streams.
	Protocol protocol.ID = "/filch/members/1"
	// PacketKind is the kind of memberlist's packets.
	PacketKind byte = 1
	// PacketBudget is how large memberlist may make a packet (its UDPBufferSize). The
	// checksum that it adds to some is not in its own reckoning.
	PacketBudget = MaxPacket - Overhead - 5
)

const (
	// packetQueue is how many packets may wait for memberlist; its answers to probes come
	// through here, so it is some hundred milliseconds' worth at the rate that one core
	// can take. More are dropped, as a socket's buffer would.
	packetQueue = 1024
	// streamsAtOnce and streamsPerPeer are how many streams members may hold open to us.
	// With MaxFrame they bound the memory that members can make a node use.
	streamsAtOnce  = 16
	streamsPerPeer = 2
	// streamPatience is how long a stream waits for one of the streamsAtOnce.
	streamPatience = 5 * time.Second
)

// Config says what a Transport is made of.
type Config struct {
	Network Network
	// Key is the gossip key, 32 bytes.
	Key []byte
	// Observe, unless nil, is called for each message about a member's life that is sent
	// or handed to memberlist, before it is. It must not block, and may be called concurrently.
	Observe func(Passing)
	// Measured, unless nil, is called with the round trip of each probe of this node's that
	// was answered. It must not block, and may be called concurrently.
	Measured func(peer.ID, time.Duration)
	// Logger gets what was refused, at a limited rate. nil is slog.Default.
	Logger *slog.Logger
}

// Transport is a memberlist.NodeAwareTransport over a Network.
type Transport struct {
	net     Network
	packet  *Seal
	stream  *Seal
	observe func(Passing)
	measure func(peer.ID, time.Duration)

	packets chan *memberlist.Packet
	streams chan net.Conn
	slots   chan struct{} // a value per inbound stream that is open
	closed  chan struct{}
	close   sync.Once

	mu      sync.Mutex
	perPeer map[peer.ID]int // inbound streams that are open or wait

	probes   probes
	waiting  waiting
	refusals refusals
	dropped  atomic.Uint64
}

var _ memberlist.NodeAwareTransport = (*Transport)(nil)

// New makes a Transport and takes over the Network's packets and streams of its kinds,
// until Shutdown.
func New(cfg Config) (*Transport, error) {
	packet, err := NewSeal(cfg.Key, "filch members packet")
	if err != nil {
		return nil, err
	}
	stream, err := NewSeal(cfg.Key, "filch members stream")
	if err != nil {
		return nil, err
	}
	t := &Transport{
		net:     cfg.Network,
		packet:  packet,
		stream:  stream,
		observe: cfg.Observe,
		measure: cfg.Measured,
		packets: make(chan *memberlist.Packet, packetQueue),
		streams: make(chan net.Conn),
		slots:   make(chan struct{}, streamsAtOnce),
		closed:  make(chan struct{}),
		perPeer: make(map[peer.ID]int),
	}
	t.refusals.log = cfg.Logger
	if t.refusals.log == nil {
		t.refusals.log = slog.Default()
	}
	if t.observe == nil {
		t.observe = func(Passing) {}
	}
	if t.measure == nil {
		t.measure = func(peer.ID, time.Duration) {}
	}
	t.net.HandlePackets(PacketKind, t.receive)
	t.net.HandleStreams(Protocol, t.accept)
	return t, nil
}

// Stats counts what a Transport did not let through since it was made.
type Stats struct {
	Refused map[string]uint64 // packets and streams, by reason
	Dropped uint64            // packets for which there was no room
}

// Stats may be called concurrently.
func (t *Transport) Stats() Stats {
	return Stats{Refused: t.refusals.counts(), Dropped: t.dropped.Load()}
}

// FinalAdvertiseAddr gives the address by which members know this one.
func (t *Transport) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	return IP(t.net.ID()), Port, nil
}

// PacketCh is where memberlist gets packets from.
func (t *Transport) PacketCh() <-chan *memberlist.Packet { return t.packets }

// StreamCh is where memberlist gets streams from.
func (t *Transport) StreamCh() <-chan net.Conn { return t.streams }

// Shutdown lets go of the Network. Streams that are open are memberlist's to close.
func (t *Transport) Shutdown() error {
	t.close.Do(func() {
		close(t.closed)
		t.net.HandlePackets(PacketKind, nil)
		t.net.HandleStreams(Protocol, nil)
	})
	return nil
}

var errNameless = errors.New("members are reached by their name, not by an address alone")

// WriteTo is what memberlist would call for a peer without a name. There is none.
func (t *Transport) WriteTo([]byte, string) (time.Time, error) { return time.Now(), errNameless }

// DialTimeout is what memberlist would call for a peer without a name. There is none.
func (t *Transport) DialTimeout(string, time.Duration) (net.Conn, error) { return nil, errNameless }

// WriteToAddress seals a packet and sends it to the named peer.
func (t *Transport) WriteToAddress(b []byte, a memberlist.Address) (time.Time, error) {
	now := time.Now()
	to, err := PeerOf(a.Name)
	if err != nil {
		return now, err
	}
	var s seen
	if err := checkPacket(b, &s); err != nil {
		// A packet of our own that others would refuse: better to know.
		t.refusals.refused("own packet", to.String(), err)
	}
	t.pass(&s)
	t.probes.sent(now, to, s.pings)
	t.unanswered(&s)
	sealed := t.packet.Seal(make([]byte, 0, len(b)+Overhead), to, b)
	if len(sealed) > MaxPacket {
		return now, fmt.Errorf("a packet of %d bytes, the most is %d", len(sealed), MaxPacket)
	}
	err = t.net.SendPacket(to, PacketKind, sealed)
	if err != nil && len(s.pings) == 0 && !t.net.Knows(to) {
		// Not a probe, though: that had better fail at once, since memberlist then skips
		// the member, than be answered late.
		t.waiting.add(to, sealed)
		return now, nil
	}
	return now, err
}

// DialAddressTimeout opens a stream to the named peer.
func (t *Transport) DialAddressTimeout(a memberlist.Address, timeout time.Duration) (net.Conn, error) {
	to, err := PeerOf(a.Name)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	s, err := t.net.OpenStream(ctx, to, Protocol)
	if err != nil {
		return nil, err
	}
	return &conn{Stream: s, t: t, dialled: true}, nil
}

// receive takes a packet from the Network, on the goroutine that reads its socket.
func (t *Transport) receive(from Source, b []byte) {
	plain, err := t.packet.Open(t.net.ID(), b)
	if err != nil {
		t.refusals.refused("packet without this cluster's key", from.String(), err)
		return
	}
	var s seen
	if err := checkPacket(plain, &s); err != nil {
		t.refusals.refused("malformed packet", from.String(), err)
		return
	}
	t.located(&s, from)
	if d, ok := t.net.(Doubts); ok && from.ID != "" {
		d.Doubt(from.ID) // it does not get through with datagrams; perhaps we do not, either
	}
	t.pass(&s) // first: who observes shall not learn from memberlist's conclusions before
	select {
	case t.packets <- &memberlist.Packet{Buf: plain, From: addr(from.String()), Timestamp: time.Now()}:
	default:
		t.dropped.Add(1)
	}
}

// located tells what a genuine packet says about where its sender is, and how far away.
func (t *Transport) located(s *seen, from Source) {
	h, tells := t.net.(Heard)
	for _, seq := range s.acks {
		id, took, ok := t.probes.answered(time.Now(), seq)
		if !ok {
			continue
		}
		t.measure(id, took)
		if tells {
			h.Heard(id, from)
		}
	}
	if s.sender != "" && tells {
		if id, err := PeerOf(s.sender); err == nil {
			h.Hinted(id, from)
			t.Reachable(id)
		}
	}
}

// unanswered looks at what this node asks others to probe: members that did not answer it in
// time. What is still to come under the number of such a probe was passed on by another, and says
// neither where the member is nor how far away.
func (t *Transport) unanswered(s *seen) {
	for _, seq := range s.asked {
		t.probes.answered(time.Time{}, seq)
	}
	d, ok := t.net.(Doubts)
	if !ok {
		return
	}
	for _, name := range s.askedOf {
		if id, err := PeerOf(name); err == nil {
			d.Doubt(id)
		}
	}
}

func (t *Transport) pass(s *seen) {
	for _, p := range s.passing {
		t.observe(p)
	}
}

// accept takes a stream from the Network, on a goroutine of its own.
func (t *Transport) accept(s Stream) {
	from := s.Peer()
	if !t.enter(from) {
		t.refusals.refused("too many streams of one peer", from.String(), nil)
		s.Reset()
		return
	}
	patience := time.NewTimer(streamPatience)
	defer patience.Stop()
	select {
	case t.slots <- struct{}{}:
	case <-patience.C:
		t.refusals.refused("too many streams", from.String(), nil)
		t.leave(from)
		s.Reset()
		return
	case <-t.closed:
		t.leave(from)
		s.Reset()
		return
	}
	c := &conn{Stream: s, t: t, done: func() {
		<-t.slots
		t.leave(from)
	}}
	select {
	case t.streams <- c:
	case <-t.closed:
		c.Close()
	}
}

func (t *Transport) enter(id peer.ID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.perPeer[id] >= streamsPerPeer {
		return false
	}
	t.perPeer[id]++
	return true
}

func (t *Transport) leave(id peer.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.perPeer[id]--; t.perPeer[id] == 0 {
		delete(t.perPeer, id)
	}
}

// String is the source for a log line.
func (s Source) String() string {
	if s.ID != "" {
		return s.ID.String()
	}
	return s.Addr.String()
}
