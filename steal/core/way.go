package core

import (
	"cmp"
	"math/bits"
	"time"
)

// This file is about the way to a source that many hear of. If all of a large cluster
// asked whoever has a million tasks, the dials alone would keep it busy for seconds. So a
// thief asks by way of one that is nearer: of each group of members that are nearer than
// the source one speaks for all, and asks for as much as they do. Who that is follows
// from the source's name and the members' (highest random weight: Thaler and Ravishankar,
// 1998), so nobody is elected and nobody has to be told: a rack's speaker asks the
// zone's, and that one the source. Whoever is asked meanwhile keeps the offers that come
// until its own is answered (combining: Goodman, Vernon and Woest, ASPLOS 1989). It
// becomes a middle by that and nothing else: all of it hangs on the same leases.
//
// A speaker that does not answer, or has nothing, is not asked for a while, like
// anybody; the last try goes to the source itself. Whom a thief asks comes before it in the
// source's order, so those who wait for each other are no circle.

const (
	crowdFrom = 64                     // members from which on the way matters
	wayFan    = 32                     // who asks one and the same, in a group without parts
	keepFor   = 500 * time.Millisecond // an offer is kept while we ask ourselves: a quarter of a thief's patience
	feedsFor  = 3 * time.Second        // who gave us work is asked again before somebody farther
)

// crowded tells whether there are so many members that the way matters.
func (c *Core) crowded() bool {
	from := c.cfg.Crowd
	if from == 0 {
		from = crowdFrom
	}
	return len(c.near.members) >= from
}

// whom chooses whom to ask next, and for whose work: who fed us a moment ago, else who is on the way to
// the one that is believed to have it.
func (c *Core) whom() (peer, source PeerID, ok bool) {
	t := &c.thief
	if c.crowded() && t.feeder != "" && c.now-t.fedAt < feedsFor && !t.shunned(c.now, t.feeder) {
		return t.feeder, t.feedFor, true
	}
	source, ok = t.pick(c)
	if !ok {
		return "", "", false
	}
	return c.byWay(source), source, true
}

// fedBy remembers who gave us work when we asked.
func (t *thief) fedBy(p PeerID, now time.Duration, parts []Part) {
	if t.asking == p && len(parts) > 0 {
		t.feeder, t.feedFor, t.fedAt, t.fedDepth = p, t.source, now, parts[0].Depth
	}
}

// byWay is whom to ask for what a source has: itself, or who is on the way to it.
func (c *Core) byWay(source PeerID) PeerID {
	t := &c.thief
	if !c.crowded() || t.tries >= triesBeforeQuiet-1 {
		return source
	}
	far := c.near.level(source)
	s, apart := nameHash(source), false
	for _, g := range c.near.groups {
		if g.level >= far {
			break
		}
		if p := c.speaker(s, g.members, apart); p != "" {
			return p
		}
		apart = true
	}
	if n := len(c.near.members); !apart && n > 2*wayFan {
		p, _ := c.between(s, n, func(k int) *Member { return &c.near.members[k] }, far)
		return cmp.Or(p, source)
	}
	return source
}

// speaker is who speaks for a group, or is between us and that one; empty: we speak.
// apart: the group has parts, of which we speak for one.
func (c *Core) speaker(s uint64, members []int32, apart bool) (p PeerID) {
	if n := len(members); !apart && n > 2*wayFan {
		if p, first := c.between(s, n, func(k int) *Member { return &c.near.members[members[k]] }, c.near.farthest); !first {
			return p
		}
	}
	least := order(s, c.cfg.ID)
	for _, k := range members {
		m := c.near.members[k].Peer
		if w := order(s, m); w < least && m != c.cfg.ID && !c.thief.shunned(c.now, m) {
			least, p = w, m
		}
	}
	return p
}

// between is who is between us and whoever speaks for n members: a heap of wayFan children each would have
// us below it. Places in the order are guessed from the weights, which are spread evenly. first: nobody is.
func (c *Core) between(s uint64, n int, member func(int) *Member, far uint8) (p PeerID, first bool) {
	place := func(p PeerID) int {
		hi, _ := bits.Mul64(order(s, p), uint64(n))
		return int(hi)
	}
	mine, below := place(c.cfg.ID), wayFan
	if mine < below {
		return "", true
	}
	for below*wayFan <= mine {
		below *= wayFan
	}
	at := int(order(s+1, c.cfg.ID) % uint64(n)) // so that there are about as many below each
	for range 4 * n / below {
		m := member(at)
		if m.Level <= far && place(m.Peer) < below && m.Peer != c.cfg.ID && !c.thief.shunned(c.now, m.Peer) {
			return m.Peer, false
		}
		at = (at + 1) % n
	}
	return "", true
}

// keeps tells whether an offer that asks for what is not here waits until we have been answered ourselves.
func (c *Core) keeps(d *downlink, o *standing) bool {
	t := &c.thief
	if !c.crowded() || c.draining || c.now >= o.came+keepFor || c.now < t.nextAsk && t.asking == "" {
		return false
	}
	source, ask := t.source, t.asking
	if ask == "" {
		var ok bool
		if ask, source, ok = c.whom(); !ok {
			return false
		}
	}
	if ask == t.feeder && t.fedDepth >= maxDepth {
		return false // what comes from there cannot be lent on
	}
	if ask == d.peer || !before(source, c.cfg.ID, d.peer) {
		return false
	}
	c.serveAgain(o.came + keepFor)
	return true
}

// before tells whether a comes before b in a source's order.
func before(source, a, b PeerID) bool {
	s := nameHash(source)
	return b != source && (a == source || order(s, a) < order(s, b))
}

// A demand is what those want who ask here.
type demand struct {
	cores int32
	tasks uint32
	time  time.Duration
}

// newsHops is how far the news of a surplus goes: to about as many as it can feed.
func (c *Core) newsHops(rest time.Duration) uint8 {
	if !c.crowded() {
		return newsHops
	}
	hops := uint8(0)
	for n := rest / takeAhead; n >= maxLifelines && hops < newsHops; n /= maxLifelines {
		hops++
	}
	return hops
}

// kept is what those want whose offers we keep.
func (c *Core) kept() (n demand) {
	if !c.crowded() {
		return demand{}
	}
	for _, d := range c.offering {
		if d.waits() && !d.offers[0].Standing {
			n.add(&d.offers[0].Offer)
		}
	}
	return n
}

func (n *demand) add(o *Offer) {
	n.cores += o.Cores
	n.tasks += o.Tasks
	n.time += o.Time
}

// nameHash is FNV-1a of a name, mixed.
func nameHash(p PeerID) uint64 {
	h := uint64(14695981039346656037)
	for k := range len(p) {
		h = (h ^ uint64(p[k])) * 1099511628211
	}
	return mix(h)
}

// order is a member's place in the order of a source.
func order(source uint64, p PeerID) uint64 { return mix(source ^ nameHash(p)) }
