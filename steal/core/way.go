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
// anybody; of those who try for the last time some dozens go to the source itself. Whom a thief asks comes before it in the
// source's order, so those who wait for each other are no circle.

const (
	crowdFrom  = 64                     // members from which on the way matters
	wayFan     = 32                     // who asks one and the same, in a group without parts
	keepFor    = 500 * time.Millisecond // an offer is kept while we ask ourselves: a quarter of a thief's patience
	muchFrom   = wayFan * takeAhead     // what a fan of thieves would take
	demandMost = 1 << 20                // cores or tasks: what is added up stays in its bounds, whatever peers say
	feedsFor   = 3 * time.Second        // who gave us work is asked again before somebody farther
)

// crowded tells whether there are so many members that the way matters.
func (c *Core) crowded() bool {
	from := c.cfg.Crowd
	if from == 0 {
		from = crowdFrom
	}
	return len(c.near.members) >= from
}

// whom chooses whom to ask next, and for whose work: who has invited us; who fed us a moment ago, unless
// somebody nearer has much; else who is on the way to the one that is believed to have it.
func (c *Core) whom() (peer, source PeerID, ok bool) {
	t := &c.thief
	best, ok := t.pick(c)
	switch {
	case !c.crowded(), ok && best.invited:
		return best.Peer, best.Peer, ok
	case t.feeder != "" && c.now-t.fedAt < feedsFor && !t.shunned(c.now, t.feeder) && !(ok && best.Surplus >= muchFrom && best.Level < c.near.level(t.feeder) && !c.lends(best.Peer)):
		return t.feeder, t.feedFor, true
	case !ok:
		return "", "", false
	}
	return c.byWay(best.Peer), best.Peer, true
}

// lends tells whether a peer holds something from us.
func (c *Core) lends(p PeerID) bool { d := c.downs[p]; return d != nil && !d.empty() }

// fedBy remembers who gave us work when we asked.
func (t *thief) fedBy(p PeerID, now time.Duration, parts []Part) {
	if t.asking == p && len(parts) > 0 {
		t.feeder, t.feedFor, t.fedAt, t.fedDepth = p, t.source, now, parts[0].Depth
	}
}

// byWay is whom to ask for what a source has: itself, or who is on the way to it.
func (c *Core) byWay(source PeerID) PeerID {
	t := &c.thief
	if t.tries >= triesBeforeQuiet-1 && c.rng.IntN(len(c.near.members)) < 2*wayFan {
		return source // some of us, since the others of us may have failed alike
	}
	far := c.near.level(source)
	s := nameHash(source)
	for k, g := range c.near.groups {
		apart := k > 0
		switch {
		case g.level < far:
			if p := c.speaker(s, g, apart); p != "" {
				return p
			}
		case apart:
			return source
		default:
			p, _ := c.between(s, g)
			return cmp.Or(p, source)
		}
	}
	return source
}

// speaker is who speaks for a group, or is between us and that one; empty: we speak.
// apart: the group has parts, of which we speak for one.
func (c *Core) speaker(s uint64, g group, apart bool) (p PeerID) {
	if !apart {
		if p, first := c.between(s, g); !first {
			return p
		}
	}
	least := order(s, c.cfg.ID)
	for k := range g.size(c) {
		m := g.member(c, k).Peer
		if w := order(s, m); w < least && m != c.cfg.ID && !c.thief.shunned(c.now, m) {
			least, p = w, m
		}
	}
	return p
}

// between is who is between us and whoever speaks for a group without parts: if it is large, a heap of wayFan
// children each would have us below that one. Places in the order are guessed from the weights, which are
// spread evenly. first: nobody is.
func (c *Core) between(s uint64, g group) (p PeerID, first bool) {
	n := g.size(c)
	place := func(p PeerID) int {
		hi, _ := bits.Mul64(order(s, p), uint64(n))
		return int(hi)
	}
	mine, below := place(c.cfg.ID), wayFan
	if n <= 2*wayFan || mine < below {
		return "", true
	}
	for below*wayFan <= mine {
		below *= wayFan
	}
	at := int(order(s+1, c.cfg.ID) % uint64(n)) // so that there are about as many below each
	for range 4 * n / below {
		if m := g.member(c, at).Peer; place(m) < below && m != c.cfg.ID && !c.thief.shunned(c.now, m) {
			return m, false
		}
		at = (at + 1) % n
	}
	return "", true
}

// keeps tells whether an offer that asks for what is not here waits until we have been answered ourselves.
func (c *Core) keeps(d *downlink, o *standing) bool {
	t := &c.thief
	if !c.crowded() || c.draining || t.tries > 0 || c.now >= o.came+keepFor || c.now < t.nextAsk && t.asking == "" {
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
		if d.waits() && d.offers[0].kept {
			n.add(&d.offers[0].Offer)
		}
	}
	return n
}

func (n *demand) add(o *Offer) {
	n.cores = min(n.cores+min(max(o.Cores, 0), demandMost), demandMost)
	n.tasks = min(n.tasks+min(o.Tasks, demandMost), demandMost)
	n.time = min(n.time+min(max(o.Time, 0), demandMost*takeAhead), demandMost*takeAhead)
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
