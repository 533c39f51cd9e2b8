package core

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"
)

// A standing is an offer of a peer that waits here, or is to be answered now.
type standing struct {
	Offer
	came time.Duration
	kept bool // until we have been answered ourselves
}

type newsKey struct {
	source PeerID
	event  uint64
}

const (
	maxLifelines = 6
	newsHops     = 4
	maxNews      = 64 // remembered, so as not to pass anything on twice
)

// meet chooses the lifelines: members in the order of where they sit, strides
// that grow by a constant factor from our own place. Stride 1 is a neighbour, the
// largest reaches across; the graph's diameter is about lifelines × factor
// (the cyclic hypercube of Saraswat et al., PPoPP 2011).
func (c *Core) meet(list []Member) {
	c.near.meet(c.cfg.ID, list)
	byPlace := func(a, b Member) int {
		if d := strings.Compare(a.Place, b.Place); d != 0 {
			return d
		}
		return strings.Compare(string(a.Peer), string(b.Peer))
	}
	sorted := list
	if !slices.IsSortedFunc(list, byPlace) {
		sorted = slices.SortedFunc(slices.Values(list), byPlace)
	}
	me := slices.IndexFunc(sorted, func(m Member) bool { return m.Peer == c.cfg.ID })
	n := len(sorted)
	var lines []PeerID
	if me >= 0 && n > 1 {
		factor := max(2, int(math.Ceil(math.Pow(float64(n), 1.0/maxLifelines))))
		for stride := 1; stride < n && len(lines) < maxLifelines; stride *= factor {
			lines = append(lines, sorted[(me+stride)%n].Peer)
		}
	}
	if slices.Equal(lines, c.thief.lifelines) {
		return
	}
	c.thief.withdraw(c)
	c.thief.lifelines = lines
	c.thief.nextAsk = c.now
}

// lay leaves an offer at every lifeline.
func (c *Core) lay() {
	if len(c.thief.lifelines) == 0 {
		return
	}
	c.thief.offers++
	c.thief.laid = c.thief.offers
	c.thief.laidBusy = c.free() == 0
	for _, p := range c.thief.lifelines {
		c.offerTo(p, true)
	}
}

// withdraw takes the standing offer back from wherever it lies.
func (t *thief) withdraw(c *Core) {
	if t.laid == 0 {
		return
	}
	for _, p := range t.lifelines {
		if u := c.ups[p]; u != nil && u.offer.standing && u.offer.n == t.laid {
			if u.offer.sent {
				u.send(c, Withdraw{t.laid})
			}
			u.offer = ask{}
		}
	}
	t.laid = 0
}

// offered takes an offer in; serve answers it at the end of the step.
func (c *Core) offered(d *downlink, m *Offer) {
	d.offers = append(d.offers[:0], standing{Offer: *m, came: c.now}) // a thief has one at a time at a peer
	if !d.offering {
		d.offering = true
		c.offering = append(c.offering, d)
	}
	d.last = *m
	c.thief.mayHaveSurplus = true
}

// serve answers offers: those that do not stand at once, those that do when there
// is something, the nearest first.
func (c *Core) serve() {
	if !c.thief.mayHaveSurplus {
		return
	}
	c.thief.mayHaveSurplus = false
	slices.SortStableFunc(c.offering, func(a, b *downlink) int { return cmp.Compare(a.level, b.level) })
	left, waiting := c.offering[:0], false
	for _, d := range c.offering {
		for len(d.offers) > 0 && d.open && !d.cut && !d.looked {
			c.answer(d)
		}
		d.looked = false
		waiting = waiting || d.waits()
		if d.offering = len(d.offers) > 0; d.offering {
			left = append(left, d)
		}
	}
	clear(c.offering[len(left):])
	c.offering = left
	if waiting {
		c.hedgeSoon()
	} else {
		c.invite()
	}
}

// waits tells whether an offer of the peer's waits here.
func (d *downlink) waits() bool {
	return len(d.offers) > 0 && d.open && !d.cut
}

// answer deals with the oldest offer of a peer.
func (c *Core) answer(d *downlink) {
	o := d.offers[0]
	why, rest, ok := c.handOver(d, &o)
	switch {
	case ok:
		d.offers = slices.Delete(d.offers, 0, 1)
		if hops := c.newsHops(rest); o.Standing && rest > 0 && hops > 0 {
			c.events++
			d.send(c, News{Source: c.cfg.ID, Event: c.events, Hops: hops, Rest: rest})
		}
	case o.Standing || why == reasonProving:
		d.looked = true
	case c.keeps(d, &o):
		d.looked, d.offers[0].kept = true, true
	default:
		d.offers = slices.Delete(d.offers, 0, 1)
		d.send(c, NoWork{Offer: o.N, Reason: why, Ask: c.others(d.peer)})
	}
}

// serveAgain has offers that wait here looked at once more at a time: what keeps a
// peer from some task is over then.
func (c *Core) serveAgain(at time.Duration) {
	c.serveAt = min(c.serveAt, at)
	c.alarm(at)
}

func (c *Core) serveDue() {
	switch {
	case c.serveAt == never:
	case c.now < c.serveAt:
		c.alarm(c.serveAt)
	default:
		c.serveAt = never
		c.thief.mayHaveSurplus = true
	}
}

// heardNews makes the source a candidate and passes the news on to whoever waits here.
func (c *Core) heardNews(_ *uplink, m *News) {
	t := &c.thief
	k := newsKey{m.Source, m.Event}
	if m.Source == c.cfg.ID || slices.Contains(t.heard, k) {
		return
	}
	if len(t.heard) == maxNews {
		t.heard = slices.Delete(t.heard, 0, 1)
	}
	t.heard = append(t.heard, k)
	t.believe(c.now, []Candidate{{Peer: m.Source, Level: c.near.level(m.Source), Surplus: m.Rest}})
	t.nextAsk = min(t.nextAsk, c.now+c.jitter(time.Millisecond))
	if m.Hops == 0 {
		return
	}
	for _, d := range c.offering {
		if d.open && !d.cut && slices.ContainsFunc(d.offers, func(s standing) bool { return s.Standing }) && d.peer != m.Source {
			d.send(c, News{Source: m.Source, Event: m.Event, Hops: m.Hops - 1, Rest: m.Rest})
		}
	}
}
