package host

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// MaxPacket is the largest packet, in bytes, without its kind: what fits into one
// Ethernet frame under IP, UDP and one more layer.
const MaxPacket = 1400

// MaxKind is the largest kind of a packet. Kinds begin at 1; 0 is the host's own.
// The kind is the first byte on the wire, and in QUIC's packets one of the two
// upper bits of it is set.
const MaxKind = 31

// Source is where a packet came from.
type Source struct {
	ID   peer.ID        // who sent it, proven by the handshake of a stream; empty for a datagram
	Addr netip.AddrPort // where it came from
}

// Errors of SendPacket. All mean that the packet was certainly not sent.
var (
	ErrPacketSize = fmt.Errorf("a packet has at most %d bytes and a kind of 1 to %d", MaxPacket, MaxKind)
	ErrNoPath     = errors.New("no way to the peer is known: no address and no connection")
	ErrQueueFull  = errors.New("the queue of packets to the peer is full")
)

// maxPeers bounds what is known of peers; clusters of 10,000 nodes are the
// largest that filch is designed for.
const maxPeers = 20_000

// packets sends and receives packets: datagrams on QUIC's own UDP ports, frames on
// streams where UDP does not get through. Safe for concurrent use.
type packets struct {
	self    peer.ID
	short   [8]byte
	key     []byte // seals probes
	noUDP   bool
	sieved  bool // datagrams come through the sieve already
	sockets *sockets
	streams *packetStreams
	pathLog func(id peer.ID, over string)
	gone    func(id peer.ID) // UDP to the peer was given up; must not block

	summoned  func(by peer.ID) // a peer asks to be called; must not block
	connected func(id peer.ID) bool

	handlers [MaxKind + 1]atomic.Pointer[func(Source, []byte)]

	mu    sync.Mutex // guards all below
	sieve *sieve
	peers map[peer.ID]*packetPeer
	byID  map[[8]byte]peer.ID
	at    map[netip.AddrPort]int // how many peers have the address
	hosts map[netip.Addr]int     // how many addresses with ports there are on one host
	wake  chan struct{}          // a path began to wait

	heardAny time.Time // when any peer was last heard as a datagram

	counts packetCounts
}

// packetCounts are for Stats; all atomic.
type packetCounts struct {
	sentUDP, sentStream, gotUDP, gotStream       atomic.Uint64
	sentBytes, gotBytes                          atomic.Uint64
	limited, unknownKind, oversized, badProbe    atomic.Uint64
	probesSent, probesAnswered, queueFull, noWay atomic.Uint64
	summoned, called                             atomic.Uint64
}

type packetPeer struct {
	path  packetPath
	nonce uint64 // of the last probe
}

func newPackets(self peer.ID, newsKey []byte, noUDP bool, s *sockets) *packets {
	return &packets{
		self: self, short: shortID(self), key: probeKey(newsKey), noUDP: noUDP, sockets: s,
		sieve: newSieve(), peers: make(map[peer.ID]*packetPeer), byID: make(map[[8]byte]peer.ID),
		at: make(map[netip.AddrPort]int), hosts: make(map[netip.Addr]int), wake: make(chan struct{}, 1),
		summoned: func(peer.ID) {}, connected: func(peer.ID) bool { return false },
	}
}

// handle has f called for packets of a kind; nil ends that.
func (p *packets) handle(kind byte, f func(Source, []byte)) {
	if f == nil {
		p.handlers[kind].Store(nil)
		return
	}
	p.handlers[kind].Store(&f)
}

// send sends a packet on the way that the peer's path says.
func (p *packets) send(to peer.ID, kind byte, b []byte) error {
	if kind == 0 || kind > MaxKind || len(b) > MaxPacket {
		return ErrPacketSize
	}
	frame := make([]byte, 1+len(b))
	frame[0] = kind
	copy(frame[1:], b)

	p.mu.Lock()
	var r route
	if entry := p.peers[to]; entry != nil && !p.noUDP && p.sockets.any() {
		r = entry.path.send(time.Now())
		if r.probe {
			p.probeLocked(to, entry)
		}
	}
	p.mu.Unlock()
	if r.to.IsValid() && p.sockets.write(frame, r.to) == nil {
		p.counts.sentUDP.Add(1)
		p.counts.sentBytes.Add(uint64(len(frame)))
		return nil
	}
	return p.streams.send(to, frame)
}

// probeLocked sends a probe to all addresses of the peer. Writing to a UDP socket
// does not block for longer than the copy takes.
func (p *packets) probeLocked(id peer.ID, entry *packetPeer) {
	if entry.path.firstOfRound() {
		var nonce [8]byte
		rand.Read(nonce[:])
		entry.nonce = binary.BigEndian.Uint64(nonce[:])
	}
	b := probe{nonce: entry.nonce, from: p.short, to: shortID(id)}.marshal(p.key)
	for _, a := range entry.path.addrs {
		if p.sockets.write(b, a) == nil {
			p.counts.probesSent.Add(1)
			p.counts.sentBytes.Add(uint64(len(b)))
		}
	}
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// pass tells whether a datagram from the address may go on, and counts it if not.
func (p *packets) pass(from netip.AddrPort) bool {
	p.mu.Lock()
	pass := p.sieve.pass(time.Now(), netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
	p.mu.Unlock()
	if !pass {
		p.counts.limited.Add(1)
	}
	return pass
}

// received takes a datagram. The bytes are its own.
func (p *packets) received(b []byte, from netip.AddrPort) {
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	switch {
	case !p.sieved && !p.pass(from):
	case len(b) == 0 || len(b) > MaxPacket+1:
		p.counts.oversized.Add(1)
	case b[0] == probeKind:
		p.probed(b, from)
	default:
		p.deliver(b, Source{Addr: from}, &p.counts.gotUDP)
	}
}

// deliver hands a packet to the handler of its kind.
func (p *packets) deliver(b []byte, from Source, count *atomic.Uint64) {
	if b[0] == probeKind && from.ID != "" {
		p.summonedOn(b)
		return
	}
	if b[0] == 0 || b[0] > MaxKind {
		p.counts.unknownKind.Add(1)
		return
	}
	f := p.handlers[b[0]].Load()
	if f == nil {
		p.counts.unknownKind.Add(1)
		return
	}
	count.Add(1)
	p.counts.gotBytes.Add(uint64(len(b)))
	(*f)(from, b[1:])
}

// probed answers a probe, or takes an answer.
func (p *packets) probed(b []byte, from netip.AddrPort) {
	q, err := parseProbe(p.key, b)
	if err != nil || q.to != p.short && q.kind != passType {
		p.counts.badProbe.Add(1)
		return
	}
	p.counts.gotBytes.Add(uint64(len(b)))
	if q.kind >= summonType {
		p.gotSummons(q)
		return
	}
	if q.kind == askType {
		answer := probe{kind: answerType, nonce: q.nonce, from: p.short, to: q.from, seen: from}
		if p.sockets.write(answer.marshal(p.key), from) == nil {
			p.counts.probesAnswered.Add(1)
			p.counts.sentBytes.Add(probeSize)
		}
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	id := p.byID[q.from]
	if entry := p.peers[id]; entry != nil && entry.nonce == q.nonce {
		p.heardLocked(id, entry, from)
	} else {
		p.counts.badProbe.Add(1)
	}
}

// heard is told by the layers above that a datagram from the address was genuine. Whether
// the peer is at an address that is new, it has to say itself: what it said may have been
// passed on by another.
func (p *packets) heard(id peer.ID, from netip.AddrPort) {
	if !from.IsValid() || id == p.self || p.noUDP {
		return
	}
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	p.mu.Lock()
	defer p.mu.Unlock()
	entry := p.peerLocked(id)
	if entry == nil {
		return
	}
	if slices.Contains(entry.path.addrs, from) {
		p.heardLocked(id, entry, from)
		return
	}
	before := slices.Clone(entry.path.addrs)
	probe := entry.path.candidate(from, time.Now())
	p.recountLocked(before, entry.path.addrs)
	if probe && p.sockets.any() {
		p.probeLocked(id, entry)
	}
}

func (p *packets) heardLocked(id peer.ID, entry *packetPeer, from netip.AddrPort) {
	before := slices.Clone(entry.path.addrs)
	was := entry.path.state
	p.heardAny = time.Now()
	entry.path.heard(from)
	p.recountLocked(before, entry.path.addrs)
	if was == pathStream && p.pathLog != nil {
		p.pathLog(id, "udp")
	}
}

// suspect is told that something speaks against UDP to the peer.
func (p *packets) suspect(id peer.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if entry := p.peers[id]; entry != nil && !p.noUDP && p.sockets.any() && entry.path.suspect(time.Now()) {
		p.probeLocked(id, entry)
	}
}

// tick sends the probes that are due and tells whether more will be.
func (p *packets) tick(now time.Time) (more bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, entry := range p.peers {
		if !entry.path.waiting() {
			continue
		}
		if entry.path.tick(now) {
			p.probeLocked(id, entry)
		}
		if entry.path.waiting() {
			more = true
			continue
		}
		if p.pathLog != nil {
			p.pathLog(id, "stream")
		}
		if p.gone != nil {
			p.gone(id)
		}
		if now.Sub(p.heardAny) >= maxProbes*probeEvery {
			more = p.doubtAllLocked(now) || more
		}
	}
	return more
}

// doubtedAtOnce bounds how many peers are probed together.
const doubtedAtOnce = 64

// doubtAllLocked is for when one peer does not answer and nobody else has been heard either: it may
// be this node that UDP has left, and its other paths had better not find that out one by one.
func (p *packets) doubtAllLocked(now time.Time) (probed bool) {
	left := doubtedAtOnce
	for id, entry := range p.peers {
		if left == 0 {
			break
		}
		if entry.path.suspect(now) {
			p.probeLocked(id, entry)
			probed = true
			left--
		}
	}
	return probed
}

// learn adds addresses of a peer.
func (p *packets) learn(id peer.ID, addrs []ma.Multiaddr) {
	if id == p.self {
		return
	}
	var at []netip.AddrPort
	for _, a := range addrs {
		if ap, ok := udpAddr(a); ok {
			at = append(at, ap)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if entry := p.peerLocked(id); entry != nil {
		before := slices.Clone(entry.path.addrs)
		entry.path.learn(at)
		p.recountLocked(before, entry.path.addrs)
	}
}

// forget drops a peer.
func (p *packets) forget(id peer.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if entry := p.peers[id]; entry != nil {
		p.recountLocked(entry.path.addrs, nil)
		delete(p.peers, id)
		delete(p.byID, shortID(id))
	}
}

// peerLocked returns what is known of a peer, or nil when there are too many.
func (p *packets) peerLocked(id peer.ID) *packetPeer {
	entry := p.peers[id]
	if entry == nil && len(p.peers) < maxPeers {
		entry = &packetPeer{}
		p.peers[id] = entry
		p.byID[shortID(id)] = id
	}
	return entry
}

// recountLocked keeps the sieve and the set of members' addresses in step.
func (p *packets) recountLocked(before, after []netip.AddrPort) {
	for _, a := range after {
		p.hosts[a.Addr()]++
		if p.at[a]++; p.at[a] == 1 {
			p.sieve.know(a)
		}
	}
	for _, a := range before {
		if p.hosts[a.Addr()]--; p.hosts[a.Addr()] == 0 {
			delete(p.hosts, a.Addr())
		}
		if p.at[a]--; p.at[a] == 0 {
			delete(p.at, a)
			p.sieve.forget(a)
		}
	}
}

// memberHost tells whether a member is known at an IP address.
func (p *packets) memberHost(addr netip.Addr) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hosts[addr] > 0
}

// over tells which way packets to the peer take at the moment.
func (p *packets) over(id peer.ID) (via string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if entry := p.peers[id]; entry == nil || len(entry.path.addrs) == 0 || entry.path.state == pathStream || p.noUDP || !p.sockets.any() {
		return "stream"
	}
	return "udp"
}

// udpAddr returns the UDP address of a QUIC multiaddr.
func udpAddr(a ma.Multiaddr) (netip.AddrPort, bool) {
	if !quicAddress.Matches(a) {
		if transport, _ := peer.SplitAddr(a); transport == nil || !quicAddress.Matches(transport) {
			return netip.AddrPort{}, false
		}
	}
	na, err := manet.ToNetAddr(firstTwo(a))
	if err != nil {
		return netip.AddrPort{}, false
	}
	ap, err := netip.ParseAddrPort(na.String())
	if err != nil || ap.Port() == 0 || ap.Addr().IsUnspecified() {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), true
}

// firstTwo cuts an address down to /ip4/…/udp/….
func firstTwo(a ma.Multiaddr) ma.Multiaddr {
	if len(a) < 2 {
		return a
	}
	return a[:2]
}
