package core

import (
	"time"

	"github.com/filchsched/filch/steal/cost"
)

// This file is what handing a task over costs. The formulas are those of package cost, which Decide uses, too.

// choice is what a share's decision about a task rests on. The way of the outcome is told, though only its bytes
// weigh.
func (s *share) choice(t *Terms) Choice {
	c := s.c
	each, way, out := c.est.of(t), c.wayTo(s.d.peer), c.est.outBytes(t)
	return Choice{
		Level: c.near.level(s.d.peer), Here: s.here, Queue: s.queue(each), Transfer: way.To(int64(t.InBytes)), Task: each,
		Return: way.Back(out), Age: c.now - s.came,
	}
}

// queue is how long a task that is handed over waits there for a core, as far as the offer tells: a thief without a
// free one asks ahead, for when half a task has passed.
func (s *share) queue(each time.Duration) time.Duration {
	if s.o.Cores <= 0 {
		return cost.Ahead(each)
	}
	return 0
}

// transfer is how long it takes until a task that is handed over now can start:
// half a round trip for the grant and a whole one for what has to be pulled.
func (c *Core) transfer(p PeerID, t *Terms) time.Duration {
	way := c.wayTo(p)
	return way.To(int64(t.InBytes)) + way.Pace.Of(c.est.outBytes(t))
}

// rtt is the round trip to a peer, as gossip or our own heartbeats measured it.
func (c *Core) rtt(p PeerID) time.Duration {
	if u := c.ups[p]; u != nil && u.rtt > 0 {
		return u.rtt
	}
	if m, _ := c.near.find(p); m.RTT > 0 {
		return m.RTT
	}
	return cost.RTTGuess
}

// measure takes in the round trip of a heartbeat. A sudden fall counts at once, a
// sudden rise by and by: the peer may have been busy.
func (u *uplink) measure(rtt time.Duration) {
	if u.rtt == 0 || rtt < u.rtt {
		u.rtt = max(rtt, 1)
		return
	}
	u.rtt += (rtt - u.rtt) / estimateWeight
}

// sooner is how many of a source's tasks are better off with the thief: the last of
// what waits here would wait longer than the transfer takes and the thief lets it
// wait. A thief without a free core asks ahead, and lets it wait for half a task as we
// do: so two that have next to nothing do not steal it from each other for ever.
// What has waited for two round trips and a bit goes to a free core in any case, and a child at once when no
// core is free here.
func (s *share) sooner(src *source, each time.Duration) uint64 {
	c := s.c
	if c.cores == 0 {
		return 1<<64 - 1
	}
	there := c.transfer(s.d.peer, src.terms) + s.queue(each)
	wait := s.stays + (each/2-there)*time.Duration(c.cores) // of the last, and its own time, on all cores
	if n := (wait - 1) / each; wait > 0 && n > 0 {
		return uint64(n)
	}
	if s.o.Cores <= 0 {
		return 0
	}
	if src.terms.Child && c.free() == 0 {
		return uint64(s.o.Cores) // it had waited before it came here, and somebody waits for it
	}
	since := src.since
	if src.job != nil {
		since = src.job.grew
	}
	if at := since + 2*c.rtt(s.d.peer) + waitSlack; c.now < at {
		c.serveAgain(at)
		return 0
	}
	return uint64(s.o.Cores)
}

// waitSlack is what a task waits at most while somebody has a free core, with two round trips.
const waitSlack = 50 * time.Millisecond
