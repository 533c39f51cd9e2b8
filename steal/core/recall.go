package core

import (
	"slices"
	"time"
)

// recall asks all holders of a span for what they have not started. Only home
// begins it; middles pass it on.
func (c *Core) recall(id JobID, s Span) {
	if c.jobs[id] == nil {
		return
	}
	for _, d := range c.downList {
		for k := range d.held(id) {
			h := &d.held(id)[k]
			if both, ok := h.meet(s); ok && h.limbo == 0 {
				d.collect(&d.recalls, Piece{id, both, h.attempt})
			}
		}
	}
}

// recallHeld is the holder's answer: returned, or started.
func (c *Core) recallHeld(u *uplink, p Piece) {
	h := u.held(p.Job)
	if h == nil {
		return
	}
	h.each(p.Span, p.Attempt, func(q *slot) bool {
		switch q.state {
		case ClaimUnstarted:
			u.end(End{Piece: h.piece(q), Kind: EndReturned, Warrant: q.warrant})
			return false
		case ClaimRunning:
			u.end(End{Piece: h.piece(q), Kind: EndStarted, Warrant: q.warrant})
		case ClaimSub:
			q.flags |= slotRecall
			if d := c.downs[q.to]; d != nil {
				d.collect(&d.recalls, h.piece(q))
			}
		}
		return true
	})
}

// handBack returns unstarted pieces of one grantor's jobs, at most n tasks, to the
// grantor that turns out to have room itself. They have been here for age at least.
func (c *Core) handBack(u *uplink, o *Offer, n uint64, age time.Duration) (given uint64) {
	for _, h := range slices.Clone(u.order) {
		if h.terms.Where.excludes(u.peer, o.Labels) != "" {
			continue // it would only give it away again
		}
		for k := len(h.slots) - 1; k >= 0 && given < n; k-- {
			q := h.slots[k]
			if q.state != ClaimUnstarted || c.now-q.born < age {
				continue
			}
			part := Span{max(q.Lo, q.Hi-min(q.Len(), n-given)), q.Hi}
			h.each(part, q.attempt, func(q *slot) bool {
				u.end(End{Piece: h.piece(q), Kind: EndReturned, Warrant: q.warrant})
				given += q.Len()
				return false
			})
		}
	}
	u.tidy()
	c.stats.HandedBack += given
	return given
}

// drain hands back everything that has not started.
func (c *Core) drain() {
	c.draining = true
	c.thief.withdraw(c)
	for _, u := range c.upOrder {
		if u.guest != nil && u.offer.sent {
			u.send(c, Withdraw{u.offer.n})
			u.offer = ask{}
		}
		for _, h := range slices.Clone(u.order) {
			for _, q := range slices.Clone(h.slots) {
				c.recallHeld(u, h.piece(&q))
			}
		}
		u.tidy()
	}
}
