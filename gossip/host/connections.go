package host

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	manet "github.com/multiformats/go-multiaddr/net"
	"github.com/quic-go/quic-go"
)

// maxConnsPerPeer bounds the connections of one admitted peer: two are normal when
// both sides dial at once.
const maxConnsPerPeer = 8

var errTooManyConns = errors.New("the peer has too many connections; this was the oldest")

type counter struct{ atomic.Uint64 }

// connected is called by libp2p for each admitted connection.
func (h *Host) connected(_ network.Network, c network.Conn) {
	h.admitted.Add(1)
	h.idle.opened(c, time.Now())
	h.packets.learn(c.RemotePeer(), nil) // it can be summoned, also if it has no address
	if c.Stat().Direction == network.DirInbound {
		h.arrivals.tell(c.RemotePeer())
	}
	if c.Stat().Direction == network.DirInbound && len(h.swarm.ConnsToPeer(c.RemotePeer())) > maxConnsPerPeer {
		// The oldest goes: a peer that is killed and restarted again and again leaves
		// connections behind that nobody answers on, and has to get in with the newest.
		oldest := oldestInbound(c, h.swarm.ConnsToPeer(c.RemotePeer()))
		from, _ := manet.ToNetAddr(firstTwo(oldest.RemoteMultiaddr()))
		h.refusals.refuse(TooMany, from, errTooManyConns)
		go oldest.Close() // libp2p holds a lock of c while it calls
	}
}

// oldestInbound returns the connection that the peer opened first: newest, or one of all.
func oldestInbound(newest network.Conn, all []network.Conn) network.Conn {
	oldest := newest
	for _, c := range all {
		if c.Stat().Direction == network.DirInbound && c.Stat().Opened.Before(oldest.Stat().Opened) {
			oldest = c
		}
	}
	return oldest
}

// closeQUIC closes the connections over QUIC with a peer that UDP does not reach any more: streams
// would be opened on them, and wait, until they time out.
func (h *Host) closeQUIC(id peer.ID) {
	for _, c := range h.swarm.ConnsToPeer(id) {
		var q *quic.Conn
		if c.As(&q) {
			c.Close()
		}
	}
}

// disconnected is called by libp2p at the end of each connection.
func (h *Host) disconnected(_ network.Network, c network.Conn) { h.idle.ended(c) }

// neighbour tells whether a member is at an address: one that is known to be there, or
// one that is connected from there.
func (h *Host) neighbour(a net.Addr) bool {
	addr := addrOf(a)
	if h.packets.memberHost(addr) {
		return true
	}
	for _, c := range h.swarm.Conns() {
		if at, err := manet.ToNetAddr(firstTwo(c.RemoteMultiaddr())); err == nil && addrOf(at) == addr {
			return true
		}
	}
	return false
}

// idleAfter is after how long without a stream a connection is closed. Each one
// costs some 10 bytes per second and 100 KB, and gossip meets all members in
// turn: kept open they would cost more than gossip itself.
const idleAfter = time.Minute

// idleConns knows since when which connection has been without streams. Safe for
// concurrent use.
type idleConns struct {
	mu        sync.Mutex
	since     map[network.Conn]time.Time
	protected map[peer.ID]int
	turn      map[network.Conn]time.Duration // how long the hello and its answer took
}

func newIdleConns() *idleConns {
	return &idleConns{since: make(map[network.Conn]time.Time), protected: make(map[peer.ID]int), turn: make(map[network.Conn]time.Duration)}
}

func (i *idleConns) opened(c network.Conn, now time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.since[c] = now
}

func (i *idleConns) ended(c network.Conn) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.since, c)
	delete(i.turn, c)
}

// tookTurn is told how long the hello took on a connection.
func (i *idleConns) tookTurn(c network.Conn, d time.Duration) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if _, open := i.since[c]; open {
		i.turn[c] = d
	}
}

func (i *idleConns) turnOf(c network.Conn) time.Duration {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.turn[c]
}

// RTT returns the shortest round trip on a connection with the peer, 0 if it is not known:
// there is none, or the peer dialled over TCP. QUIC measures it all the time; on TCP it
// is that of the hello.
func (h *Host) RTT(id peer.ID) (shortest time.Duration) {
	for _, c := range h.swarm.ConnsToPeer(id) {
		rtt := h.idle.turnOf(c)
		var q *quic.Conn
		if c.As(&q) {
			rtt = q.ConnectionStats().MinRTT
		}
		if rtt > 0 && (shortest == 0 || rtt < shortest) {
			shortest = rtt
		}
	}
	return shortest
}

func (i *idleConns) protect(id peer.ID) (release func()) {
	i.mu.Lock()
	i.protected[id]++
	i.mu.Unlock()
	return sync.OnceFunc(func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		if i.protected[id]--; i.protected[id] == 0 {
			delete(i.protected, id)
		}
	})
}

// expired returns the connections that have been idle for too long.
func (i *idleConns) expired(now time.Time) (idle []network.Conn) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for c, since := range i.since {
		switch {
		case i.protected[c.RemotePeer()] > 0 || c.Stat().NumStreams > 0:
			i.since[c] = now
		case now.Sub(since) >= idleAfter:
			idle = append(idle, c)
		}
	}
	return idle
}
