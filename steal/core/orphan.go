package core

import "slices"

// orphan moves what has started in a lane to the channel with the root home: its
// middle has vanished, does not know it, or cannot extend the lease. With mark
// the middle is shown that it went up, so that it does not wait for it.
func (c *Core) orphan(u *uplink, l *lane, mark bool) {
	for _, h := range slices.Clone(u.order) {
		if h.id.Home == u.peer {
			continue
		}
		keep := h.slots[:0]
		for _, q := range h.slots {
			started := q.state == ClaimRunning && !h.terms.fences() || q.state == ClaimEnded
			if q.lane == l && started {
				c.moveUp(u, h, q)
				if !mark {
					continue
				}
				q.state, q.out = ClaimGoneUp, nil
				q.lot = &lot{attempt: q.attempt, warrant: q.warrant, lane: q.lane, depth: q.depth}
			}
			keep = append(keep, q)
		}
		clear(h.slots[len(keep):])
		h.slots = keep
		h.recount()
	}
	u.tidy()
}

// moveUp shows one started piece to its root home. Commands do not come here
// running: their deadline has stopped them, or is about to.
func (c *Core) moveUp(u *uplink, h *heldJob, q slot) {
	root := c.uplinkTo(h.id.Home)
	rh := root.hold(h.id, &h.terms)
	for k := rh.find(q.Lo); k < len(rh.slots) && rh.slots[k].Lo < q.Hi; k++ {
		c.halt(h.piece(&q)) // the root gave us a newer attempt already
		return
	}
	q.lot = &lot{attempt: q.attempt, warrant: q.warrant, lane: root.lane(c, 0), depth: 1, born: q.born}
	q.flags = 0
	if q.out != nil {
		o := *q.out
		q.out = &o
	}
	rh.add(q)
	c.note("%v: asks its home, %s is gone", h.piece(&q), u.peer)
	c.closeLink(root) // the next hello shows it
	root.redialAt = c.now
	c.alarm(c.now)
}

// gone is a grantor's word that it does not know a piece: what started goes to
// the root home, what did not is forgotten.
func (c *Core) gone(u *uplink, pieces []Piece) {
	for _, p := range pieces {
		h := u.held(p.Job)
		if h == nil || p.Job.Home == u.peer {
			continue
		}
		h.each(p.Span, p.Attempt, func(q *slot) bool {
			switch q.state {
			case ClaimRunning:
				if h.terms.fences() { // its leash is the old lease's, which nobody extends
					q.flags |= slotDrop
					c.halt(h.piece(q))
					return true
				}
				c.moveUp(u, h, *q)
			case ClaimEnded:
				c.moveUp(u, h, *q)
			case ClaimSub:
				c.cutBelow(h.piece(q), q)
			}
			return false
		})
	}
	u.tidy()
}

// newGrantor notices that u's peer has restarted. It does not know what its
// former incarnation lent on: that is no lease any more, and its home is asked.
// What the peer granted as home it may adopt, if its job was durable.
func (c *Core) newGrantor(u *uplink, inc uint64) {
	was := u.inc
	u.inc = inc
	if was == 0 || was == inc {
		return
	}
	own := u.lanes[0]
	for _, l := range slices.Clone(u.laneList) {
		if l == own {
			continue
		}
		c.lapse(u, l)
		c.orphan(u, l, false)
	}
	u.lanes = map[uint32]*lane{}
	u.laneList = nil
	if own != nil {
		u.lanes[0] = own
		u.laneList = append(u.laneList, own)
	}
}
