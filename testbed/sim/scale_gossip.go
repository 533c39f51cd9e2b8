package sim

import (
	"time"

	"github.com/filchsched/filch/steal/core"
)

// This file plays the part of load news (gossip/core/news.go): about once a
// second a datagram to one peer, half of the time of the same rack, with the
// sender's own entry, the three freshest surpluses that it knows and the two
// freshest that are over; and four datagrams at once when a surplus appears that
// is the first that a node hears of.

// An entry says what one node could give away, and when it said so.
type entry struct {
	who     int32
	surplus time.Duration // 0: not any more
	said    time.Duration
}

type gossiper struct {
	known    []entry // of others, one each
	standing bool    // it has surplus, as it last said
	tokens   float64 // for urgent datagrams
	filled   time.Duration
}

const (
	surplusOn  = 100 * time.Millisecond // as in gossip/core/load.go
	surplusOff = 20 * time.Millisecond
	newsLasts  = 30 * time.Second
	overLasts  = 10 * time.Second
	mostKnown  = 48 // entries; the oldest go first
	urgentMost = 8  // datagrams at once, one more every two seconds
)

func (p *plant) own(m *machine, n int32) entry {
	s := m.core.Surplus()
	if s < surplusOff || !m.gossip.standing && s < surplusOn {
		s = 0
	}
	m.gossip.standing = s > 0
	return entry{n, s, p.now}
}

// gossipTurn tells somebody.
func (p *plant) gossipTurn(m *machine, n int32) {
	if to, ok := p.someone(n); ok {
		p.tell(m, n, to, p.own(m, n))
	}
	p.queue.add(occasion{at: p.now + time.Duration(float64(time.Second)*(0.8+0.4*p.rng.Float64())), kind: onGossip, node: n})
}

// noticeSurplus tells at once of a surplus that nobody here has heard the like of.
func (p *plant) noticeSurplus(m *machine, n int32) {
	was := m.gossip.standing
	e := p.own(m, n)
	if !was && e.surplus > 0 && m.gossip.heard(p.now) < 2 {
		p.spread(m, n, e)
	}
}

func (p *plant) spread(m *machine, n int32, own entry) {
	g := &m.gossip
	g.tokens = min(urgentMost, g.tokens+(p.now-g.filled).Seconds()/2)
	if g.filled == 0 {
		g.tokens = urgentMost
	}
	g.filled = p.now
	for range 4 {
		if g.tokens < 1 {
			return
		}
		g.tokens--
		if to, ok := p.someone(n); ok {
			p.tell(m, n, to, own)
		}
	}
}

func (g *gossiper) heard(now time.Duration) (n int) {
	for _, e := range g.known {
		if e.surplus > 0 && now-e.said < newsLasts {
			n++
		}
	}
	return n
}

func (p *plant) someone(n int32) (int32, bool) {
	to := p.rng.Int32N(int32(len(p.nodes)))
	if first := n / int32(p.perRack) * int32(p.perRack); p.rng.IntN(2) == 0 {
		to = min(first+p.rng.Int32N(int32(p.perRack)), int32(len(p.nodes)-1))
	}
	return to, to != n
}

func (p *plant) tell(m *machine, n, to int32, own entry) {
	list := make([]entry, 1, 6)
	list[0] = own
	list = m.gossip.freshest(list, to, 3, func(e *entry) bool { return e.surplus > 0 && p.now-e.said < newsLasts })
	list = m.gossip.freshest(list, to, 2, func(e *entry) bool { return e.surplus == 0 && p.now-e.said < overLasts })
	m.spent += costNews
	level := p.level(n, to)
	p.news++
	p.bytes[level] += newsBytes
	p.queue.add(occasion{at: max(p.now, m.loopFree) + latency[level], kind: onNews, node: to, what: p.papers.put(list)})
}

// freshest appends the n youngest entries that fit.
func (g *gossiper) freshest(list []entry, not int32, n int, fits func(*entry) bool) []entry {
	from := len(list)
	for k := range g.known {
		e := &g.known[k]
		if e.who == not || !fits(e) {
			continue
		}
		at := len(list)
		for at > from && list[at-1].said < e.said {
			at--
		}
		if at == from+n {
			continue
		}
		if len(list) < from+n {
			list = append(list, entry{})
		}
		copy(list[at+1:], list[at:])
		list[at] = *e
	}
	return list
}

func (p *plant) newsArrived(m *machine, n int32, list []entry) {
	m.spent += costNews
	var fresh []core.Candidate
	g := &m.gossip
	for _, e := range list {
		if e.who == n || !g.adopt(p.now, e) {
			continue
		}
		level := p.level(n, e.who)
		c := core.Candidate{Peer: p.nodes[e.who].id, Level: uint8(level), Surplus: e.surplus, Age: p.now - e.said, RTT: 2 * latency[level]}
		if p.blind {
			c.Level, c.RTT = levelRack, 0
		}
		fresh = append(fresh, c)
		if e.surplus > 0 && p.now-e.said < 2*time.Second && g.heard(p.now) <= 2 {
			p.spread(m, n, p.own(m, n))
		}
	}
	if len(fresh) > 0 {
		p.into(m, n, inboxItem{letter: -1, ev: core.Candidates{List: fresh}})
	}
}

// adopt takes an entry that is newer than what is known; it tells whether that changes anything.
func (g *gossiper) adopt(now time.Duration, e entry) bool {
	oldest := 0
	for k := range g.known {
		o := &g.known[k]
		if o.who == e.who {
			if e.said <= o.said {
				return false
			}
			changed := e.surplus > 0 || o.surplus > 0
			*o = e
			return changed
		}
		if o.said < g.known[oldest].said {
			oldest = k
		}
	}
	if e.surplus == 0 {
		return false // nobody believed it to have any
	}
	if len(g.known) < mostKnown {
		g.known = append(g.known, e)
	} else {
		g.known[oldest] = e
	}
	return now-e.said < newsLasts
}
