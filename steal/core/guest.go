package core

import (
	"slices"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// This file is about guests: homes on a node's own machine that have no cores and
// no peer but the node (a `filch run`). The node is their one holder. It lends them
// cores: what it starts of theirs they execute themselves and end themselves, so
// that nothing of it is reported. What it does not start it holds for others.

const (
	// guestWindow is how many unstarted tasks of a guest the node holds at most:
	// enough for peers that steal half, and small beside a million-task bag.
	guestWindow = 1024
)

// A guest is what a node knows about one.
type guest struct {
	most int // of its pieces run here at once; 0: no bound
	runs int // that run
}

// guestHere takes a guest in, or ends whatever is here of one that has gone.
func (c *Core) guestHere(ev Guest) {
	u := c.ups[ev.Peer]
	if !ev.Here {
		if u != nil && u.guest != nil {
			c.guestGone(u)
		}
		return
	}
	if u == nil {
		u = c.uplinkTo(ev.Peer)
	}
	if u.guest == nil {
		u.guest = &guest{}
		u.redialAt = c.now
		c.alarm(c.now)
	}
	u.guest.most = ev.Jobs
}

// isGuest tells whether a home is a guest of this node.
func (c *Core) isGuest(p PeerID) bool {
	u := c.ups[p]
	return u != nil && u.guest != nil
}

// guestGone stops a guest's work everywhere and forgets it, whose name will hardly
// come again: a node may have thousands of them in its life.
func (c *Core) guestGone(u *uplink) {
	c.left(u.peer)
	c.forgetUplink(u)
	c.upOrder = slices.DeleteFunc(c.upOrder, func(o *uplink) bool { return o == u })
	c.thief.mayHaveSurplus = true // its sub-grants are out of the way
}

// court keeps an offer at every guest, whatever room there is.
func (c *Core) court() {
	if c.draining {
		return
	}
	for _, u := range c.upOrder {
		if u.guest == nil || u.offer.n != 0 {
			continue
		}
		if n := u.unstarted(); n < guestWindow/2 {
			c.thief.offers++
			u.offer = ask{n: c.thief.offers, standing: true, tasks: uint32(guestWindow - n)}
			if u.state == linkOpen {
				c.sendOffer(u)
			} else {
				c.alarm(max(c.now, u.redialAt))
			}
		}
	}
}

// guestOffer is what lies at a guest. What this node runs is no matter: it looks at
// that itself before it starts anything, and others may steal the rest.
func (c *Core) guestOffer(u *uplink) Offer {
	return Offer{N: u.offer.n, Standing: true, Cores: int32(c.free()), Tasks: u.offer.tasks, Time: maxOfferTime,
		Memory: c.cfg.Memory, Kinds: c.cfg.Kinds, Labels: c.cfg.Labels, Functions: c.functions}
}

// maxOfferTime is no bound on time, and leaves room for sums.
const maxOfferTime = 1 << 60 * time.Nanosecond

// unstarted counts the tasks held from u that wait here.
func (u *uplink) unstarted() (n uint64) {
	for _, h := range u.order {
		n += h.unstarted
	}
	return n
}

// canStart bounds how many of the tasks held from u can take a core of ours.
func (u *uplink) canStart() uint64 {
	if g := u.guest; g != nil && g.most > 0 {
		return uint64(max(0, g.most-g.runs))
	}
	return 1<<64 - 1
}

// mayStart tells whether what is held of a job may start on our cores at all. Of
// guests everything is held; of others only what passed declines.
func (c *Core) mayStart(u *uplink, h *heldJob) bool {
	return u.guest == nil || c.barred(&h.terms) == ""
}

// replaced forgets attempts of a guest's own tasks that its new grant overtakes: it
// ended them itself, and its word comes before RanByHome.
func (c *Core) replaced(u *uplink, p *Part) {
	h := u.held(p.Job)
	if u.guest == nil || h == nil || p.Job.Home != u.peer {
		return
	}
	h.slots = slices.DeleteFunc(h.slots, func(q slot) bool {
		_, ok := q.meet(p.Span)
		return ok && q.state == ClaimRunning && q.attempt.N < p.Attempt.N && q.attempt.Incarnation == p.Attempt.Incarnation
	})
}

// ranByHome ends a run of a guest's own task, of which the guest knows already.
func (c *Core) ranByHome(ev RanByHome) {
	if !c.endRun(ev.Piece, ev.Ran, ev.Ran <= 0) { // a guest that is gone tells no time
		return
	}
	u := c.ups[ev.Piece.Job.Home]
	if u == nil {
		return
	}
	h := u.held(ev.Piece.Job)
	if h == nil {
		return
	}
	if ev.Ran > 0 { // a guest that is gone has told nothing
		c.est.learn(h.terms.Name, ev.Ran, ev.Piece.Len())
	}
	h.each(ev.Piece.Span, ev.Piece.Attempt, func(q *slot) bool { return q.state != ClaimRunning })
	u.tidy()
}

// lent is the guest's side of a start: the node has a core for a piece of ours. It
// is refused when the node's lease is over and the piece may be elsewhere.
func (c *Core) lent(p Piece) {
	j, d := c.jobs[p.Job], c.downs[c.cfg.Host]
	if j == nil || d == nil || j.paused || c.runs[p] != nil || !c.lendable(j, d, p) {
		c.emit(Declined{p})
		return
	}
	suspect := false
	for _, part := range d.takeOut(p.Job, p.Span, func(h *hold) bool { return h.attempt == p.Attempt }) {
		part.own, part.known = true, true
		suspect = suspect || part.suspect
		d.add(p.Job, part)
	}
	j.tell(c, entry{Kind: storyStarted, Span: p.Span, Attempt: p.Attempt, Peer: c.cfg.ID, Why: "its node lends a core", Choice: Choice{Task: c.est.of(&j.terms)}})
	c.run(Run{Piece: p, Terms: j.terms, Suspect: suspect}, j.arrived(p.Lo))
	if c.cfg.Cores > 0 { // what the node lends comes on top of what the guest has itself
		r := c.runs[p]
		c.busy -= r.cores
		c.slack = min(c.slack, c.busy)
		c.memory -= r.memory
		r.cores, r.memory = 0, 0
	}
}

// lendable tells whether the node holds all of a piece, and all of it is wanted.
func (c *Core) lendable(j *job, d *downlink, p Piece) bool {
	var mine []Span
	for _, h := range d.held(p.Job) {
		if both, ok := h.meet(p.Span); ok && h.attempt == p.Attempt && h.limbo == 0 && !h.own {
			mine = append(mine, both)
		}
	}
	if len(p.Span.minus(mine)) > 0 || p.Span.Len() == 0 {
		return false
	}
	return !slices.ContainsFunc(j.state.In(p.Span), func(r Stretch[taskState]) bool { return r.Value != taskHeld })
}

// holderOf finds who holds a piece that has ended in this process: our own cores,
// or the node that we are a guest of and ran it for.
func (c *Core) holderOf(p Piece) *downlink {
	if c.local.covers(p) {
		return c.local
	}
	for _, d := range c.downList {
		if d.covers(p) {
			return d
		}
	}
	return nil
}

// endedByUs is the end of a piece of our own that the engine does not know as a run:
// a guest told its node's piece without Lent.
func (c *Core) endedByUs(ev Finished, o *Outcome) {
	if d := c.holderOf(ev.Piece); d != nil && d != c.local && c.jobs[ev.Piece.Job] != nil {
		c.ranFor(d, ev, o)
	}
}

// ranFor is the end of a run in this process of our own task, held by d.
func (c *Core) ranFor(d *downlink, ev Finished, o *Outcome) {
	j := c.jobs[ev.Piece.Job]
	if ev.State != task.Cancelled {
		c.est.learn(j.terms.Name, ev.Ran, ev.Piece.Len())
		c.homeOutcome(d, o)
		return
	}
	for _, part := range d.takeOut(j.id, ev.Piece.Span, func(h *hold) bool { return h.attempt == ev.Piece.Attempt }) {
		c.uncount(j, part.Span)
	}
	c.settle(j, ev.Piece.Span)
	c.stoppedDue(j)
}
