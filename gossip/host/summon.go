package host

import (
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

// A peer that nobody can dial, because it is behind address translation or a firewall, can still dial.
// So who cannot get through to a peer summons it: it asks the peer to call. A summons is a sealed packet in the form of a probe; it goes as a datagram
// to where the peer was heard, and to a few members with the request to pass it on, because one of them may have a
// connection that the peer has made. The connection then serves both sides.
//
//	a ──dial──✗ b        a ──summons──▶ b, or a ──pass──▶ m ──summons──▶ b        b ──dial──▶ a
//
// A summons proves only that some member made it at some time. All it brings about is that its receiver tries whether
// it has a connection with the one that is named, and dials it if not, at most every summonPause.
const (
	// summonAfter is how long a dial may take before the peer is asked to call: longer than one
	// over most lines takes.
	summonAfter = 250 * time.Millisecond
	// summonPatience is how long is waited for the call: four round trips of half a second.
	summonPatience = 2 * time.Second
	// summonPause is the least time between two answers to summonses of one peer.
	summonPause = time.Second
	// maxPassers is how many members are asked to pass a summons on. Each has a connection with a peer
	// that nobody can dial with a chance that depends on the cluster; whoever waits for the peer tries again.
	maxPassers = 4
	// maxCalls bounds the peers that are called back at one time.
	maxCalls = 32
)

// arrivals wakes those who wait for a peer's call. Safe for concurrent use.
type arrivals struct {
	mu   sync.Mutex
	wait map[peer.ID]map[chan struct{}]struct{}
}

// of returns a channel that is closed when the peer has connected; done ends the waiting.
func (a *arrivals) of(id peer.ID) (came chan struct{}, done func()) {
	came = make(chan struct{})
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.wait == nil {
		a.wait = make(map[peer.ID]map[chan struct{}]struct{})
	}
	if a.wait[id] == nil {
		a.wait[id] = make(map[chan struct{}]struct{})
	}
	a.wait[id][came] = struct{}{}
	return came, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if delete(a.wait[id], came); len(a.wait[id]) == 0 {
			delete(a.wait, id)
		}
	}
}

func (a *arrivals) tell(id peer.ID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for came := range a.wait[id] {
		close(came)
	}
	delete(a.wait, id)
}

// reach dials a peer, and asks it to call where that takes long or fails.
func (h *Host) reach(ctx context.Context, id peer.ID) error {
	came, forget := h.arrivals.of(id)
	defer forget()
	ctx, cancel := context.WithCancel(ctx)
	dialled := make(chan error, 1)
	go func() { dialled <- h.dial(ctx, id) }()
	over := false // the dial
	defer func() {
		cancel()
		if !over {
			<-dialled
		}
	}()
	var failed error
	var summoned time.Time
	timer := time.NewTimer(summonAfter)
	defer timer.Stop()
	for {
		select {
		case failed = <-dialled:
			over = true
			var refused *RefusedError
			if failed == nil || ctx.Err() != nil || errors.As(failed, &refused) {
				return failed
			}
		case <-came:
			return nil
		case <-timer.C:
		case <-ctx.Done():
			if !over {
				over, failed = true, <-dialled
			}
			return failed
		}
		if summoned.IsZero() {
			summoned = time.Now()
			if !h.packets.summon(id, h.passers(id)) {
				summoned = summoned.Add(-summonPatience) // nobody can be asked
			}
		}
		left := summonPatience - time.Since(summoned)
		if over && left <= 0 {
			return failed
		}
		timer.Reset(max(left, summonAfter))
	}
}

// dial dials a peer and returns when both sides have admitted each other.
func (h *Host) dial(ctx context.Context, id peer.ID) error {
	h.swarm.Backoff().Clear(id) // whoever calls has a reason to try now
	c, err := h.swarm.DialPeer(ctx, id)
	if err != nil {
		return dialError(id, err)
	}
	if err := h.greet(ctx, c); err != nil {
		if c.Stat().Direction == network.DirOutbound { // it has not come meanwhile
			c.Close()
		}
		return fmt.Errorf("connecting to %s: %w", id, err)
	}
	return nil
}

// passers are members that may have a connection with a peer: some of those that this node has one
// with, then some whose datagrams come.
func (h *Host) passers(id peer.ID) (some []peer.ID) {
	some = slices.DeleteFunc(h.swarm.Peers(), func(p peer.ID) bool { return p == id })
	rand.Shuffle(len(some), func(i, k int) { some[i], some[k] = some[k], some[i] })
	if len(some) < maxPassers {
		some = append(some, h.packets.heardOf(maxPassers-len(some), append(some, id))...)
	}
	return some[:min(len(some), maxPassers)]
}

// summoned is told that a peer asks this node to call. It does not block.
func (h *Host) summoned(by peer.ID) {
	select {
	case h.summonses <- by:
	default: // it will summon again
	}
}

// callBack calls those who summon, until the host is closed.
func (h *Host) callBack() {
	var calls sync.WaitGroup
	defer calls.Wait()
	free := make(chan struct{}, maxCalls)
	last := make(map[peer.ID]time.Time)
	for {
		var by peer.ID
		select {
		case by = <-h.summonses:
		case <-h.ctx.Done():
			return
		}
		now := time.Now()
		maps.DeleteFunc(last, func(_ peer.ID, at time.Time) bool { return now.Sub(at) >= summonPause })
		if _, again := last[by]; again || len(last) >= maxCalls {
			continue
		}
		select {
		case free <- struct{}{}:
		default:
			continue
		}
		last[by] = now
		calls.Go(func() {
			defer func() { <-free }()
			ctx, cancel := context.WithTimeout(h.ctx, helloTime)
			defer cancel()
			if err := h.call(ctx, by); err != nil {
				h.log.Debug("a peer that asked to be called cannot be reached", "peer", by, "error", err)
			}
		})
	}
}

// call makes sure that there is a connection with a peer. The peer says that it has none: one that this node still has may be
// left over, and is asked.
func (h *Host) call(ctx context.Context, id peer.ID) error {
	for _, c := range h.swarm.ConnsToPeer(id) {
		short, cancel := context.WithTimeout(ctx, summonPatience/2)
		err := h.greet(short, c)
		cancel()
		if err == nil {
			return nil
		}
		c.Close()
	}
	h.packets.counts.called.Add(1)
	return h.dial(ctx, id)
}

// summon asks a peer to call, at where its datagrams come from and over some members. It tells whether
// anybody could be asked.
func (p *packets) summon(id peer.ID, over []peer.ID) (asked bool) {
	var nonce [8]byte
	crand.Read(nonce[:])
	q := probe{kind: summonType, nonce: binary.BigEndian.Uint64(nonce[:]), from: p.short, to: shortID(id)}
	asked = p.summonAt(id, q.marshal(p.key))
	q.kind = passType
	b := q.marshal(p.key)
	for _, m := range over {
		asked = p.forward(m, b) == nil || asked
	}
	if asked {
		p.counts.summoned.Add(1)
	}
	return asked
}

// summonAt sends a summons as a datagram to where a peer's own come from.
func (p *packets) summonAt(id peer.ID, b []byte) (sent bool) {
	p.mu.Lock()
	var at []netip.AddrPort
	if entry := p.peers[id]; entry != nil && !p.noUDP && entry.path.everHeard {
		at = slices.Clone(entry.path.addrs[:min(len(entry.path.addrs), maxSummonsAddrs)])
	}
	p.mu.Unlock()
	for _, a := range at {
		if p.sockets.write(b, a) == nil {
			sent = true
			p.counts.sentBytes.Add(uint64(len(b)))
		}
	}
	return sent
}

// maxSummonsAddrs is to how many addresses of a peer a summons is sent: the one that it was heard from
// last, and one before that.
const maxSummonsAddrs = 2

// forward sends a probe's frame on the way that packets to the peer take.
func (p *packets) forward(to peer.ID, b []byte) error {
	p.mu.Lock()
	var r route
	if entry := p.peers[to]; entry != nil && !p.noUDP && p.sockets.any() {
		r = entry.path.send(time.Now())
		if r.probe {
			p.probeLocked(to, entry)
		}
	}
	p.mu.Unlock()
	if r.to.IsValid() && p.sockets.write(b, r.to) == nil {
		p.counts.sentBytes.Add(uint64(len(b)))
		return nil
	}
	return p.streams.send(to, b)
}

// gotSummons takes a summons for this node, or one to be passed on.
func (p *packets) gotSummons(q probe) {
	p.mu.Lock()
	from, known := p.byID[q.from]
	to := p.byID[q.to]
	p.mu.Unlock()
	switch {
	case !known:
		p.counts.badProbe.Add(1)
	case q.kind == summonType && q.to == p.short:
		p.summoned(from)
	case q.kind == passType && to != "":
		b := probe{kind: summonType, nonce: q.nonce, from: q.from, to: q.to}.marshal(p.key)
		if p.connected(to) {
			p.streams.send(to, b)
		} else {
			p.summonAt(to, b)
		}
	}
}

// summonedOn takes a summons that came on a stream; probes have no business there.
func (p *packets) summonedOn(b []byte) {
	q, err := parseProbe(p.key, b)
	if err != nil || q.kind < summonType {
		p.counts.badProbe.Add(1)
		return
	}
	p.counts.gotBytes.Add(uint64(len(b)))
	p.gotSummons(q)
}

// heardOf returns some peers whose datagrams come, by chance, without those named.
func (p *packets) heardOf(n int, without []peer.ID) (some []peer.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, entry := range p.peers {
		if len(some) == n {
			break
		}
		if entry.path.state == pathDirect && !slices.Contains(without, id) {
			some = append(some, id)
		}
	}
	return some
}
