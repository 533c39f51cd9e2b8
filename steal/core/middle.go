package core

import (
	"slices"
	"time"
)

// This file is the grantor that is itself a holder: what it lent on, and how ends
// and outcomes come up through it.

// subs calls f with every slot that lies in a piece and was sub-granted to a peer.
// f returns false to have the slot removed.
func (c *Core) subs(p Piece, to PeerID, f func(u *uplink, h *heldJob, q *slot) bool) {
	for _, u := range c.upOrder {
		h := u.held(p.Job)
		if h == nil {
			continue
		}
		h.each(p.Span, p.Attempt, func(q *slot) bool {
			if q.state != ClaimSub || q.to != to {
				return true
			}
			return f(u, h, q)
		})
	}
}

// middleClaim answers "I hold this" for what we sub-granted, or do not know.
func (c *Core) middleClaim(d *downlink, q *Claim) {
	switch q.State {
	case ClaimEnded: // its outcome follows
		return
	case ClaimKilled:
		c.takeEnd(d, &End{Piece: q.Piece, Kind: EndKilled})
		return
	case ClaimLost, ClaimGoneUp:
		c.takeEnd(d, &End{Piece: q.Piece, Kind: EndLost})
		return
	}
	var mine []Span
	c.subs(q.Piece, d.peer, func(_ *uplink, h *heldJob, s *slot) bool {
		mine = append(mine, s.Span)
		switch {
		case s.flags&slotDrop != 0:
			d.collect(&d.drops, h.piece(s))
		case s.flags&slotRecall != 0:
			d.collect(&d.recalls, h.piece(s))
		}
		return true
	})
	for _, rest := range q.Span.minus(mine) {
		d.collect(&d.gones, Piece{q.Job, rest, q.Attempt})
	}
}

// middleEnded is the end of a sub-granted piece without an outcome. What may have
// been started is never run again under the same attempt.
func (c *Core) middleEnded(d *downlink, p Piece, how EndKind) {
	told := false
	c.subs(p, d.peer, func(u *uplink, h *heldJob, q *slot) bool {
		if !told {
			told = true
			c.pass(p, storyEnded, d.peer, how.String(), Choice{})
		}
		end := End{Piece: h.piece(q), Kind: how, Warrant: q.warrant}
		switch {
		case how == EndLost:
			q.state = ClaimLost
			u.end(end)
			return true
		case q.flags&slotDrop != 0:
			u.end(end)
			return false
		case how == EndKilled:
			q.state = ClaimKilled
			u.end(end)
			return true
		case q.flags&slotRecall != 0 || c.draining || !q.lane.mayRun(c.now):
			end.Kind = EndReturned
			u.end(end)
			return false
		}
		q.state, q.to, q.flags = ClaimUnstarted, "", 0
		c.wakeHeld(u, h)
		return true
	})
}

// middleOutcome passes an outcome on. A middle that does not know the piece, or
// not all of it, sends its holder to the root home.
func (c *Core) middleOutcome(d *downlink, o *Outcome) {
	for _, u := range c.upOrder {
		h := u.held(o.Job)
		if h == nil {
			continue
		}
		var mine []Span
		for k := h.find(o.Lo); k < len(h.slots) && h.slots[k].Lo < o.Hi; k++ {
			if q := &h.slots[k]; q.attempt == o.Attempt && (q.state == ClaimSub && q.to == d.peer || q.state == ClaimLost) {
				if both, ok := q.meet(o.Span); ok {
					mine = append(mine, both)
				}
			}
		}
		if len(mine) == 0 {
			continue
		}
		if len(o.Span.minus(mine)) > 0 {
			break
		}
		c.passOn(d, u, h, o)
		return
	}
	for _, part := range d.takeOut(o.Job, o.Span, func(h *hold) bool { return h.attempt == o.Attempt }) {
		c.middleEnded(d, Piece{o.Job, part.Span, part.attempt}, EndLost)
	}
	d.collect(&d.gones, o.Piece)
}

func (c *Core) passOn(d *downlink, u *uplink, h *heldJob, o *Outcome) {
	d.takeOut(o.Job, o.Span, func(x *hold) bool { return x.attempt == o.Attempt })
	d.collect(&d.recordeds, o.Piece)
	var lot *lot
	h.each(o.Span, o.Attempt, func(q *slot) bool {
		lot = q.lot
		return false
	})
	c.pass(o.Piece, storyEnded, d.peer, "with its outcome", Choice{})
	up := *o
	up.Warrant = lot.warrant
	h.add(slot{Span: o.Span, lot: lot, state: ClaimEnded, out: &up})
	u.passOn(up)
	c.est.learn(h.terms.Name, o.Ran, o.Len())
}

// passOn reports what a peer has ended.
func (u *uplink) passOn(o Outcome) {
	u.report.Outcomes = append(u.report.Outcomes, o)
	u.touch()
}

// gathers tells whether a report waits for more: a middle that feeds many would send its grantor as many frames
// as there are tasks. What is our own does not wait, nor the first after a pause.
func (c *Core) gathers(u *uplink) bool {
	at := u.told + gatherFor
	if u.prompt || !c.crowded() || c.now >= at || len(u.report.Outcomes) >= gatherMost || u.state != linkOpen {
		return false
	}
	c.alarm(at)
	return true
}

const (
	gatherFor  = 2 * time.Millisecond // little beside what tasks that leave a large cluster's home take
	gatherMost = maxReport / 4
)

// chain tells whether a peer is above us in the tree of leases of what u lent us.
func (u *uplink) chain(id JobID, p PeerID) bool { return slices.Contains([]PeerID{u.peer, id.Home}, p) }
