package core

import (
	"slices"

	"github.com/filchsched/filch/exec/task"
)

// cancel commits everything that has no outcome as cancelled. The journal has the
// cancel before Accepted is answered, since effects are carried out in order.
func (c *Core) cancel(id JobID) {
	j := c.jobs[id]
	if j == nil {
		return
	}
	if !j.cancelled {
		ended := j.committed == j.n
		for _, r := range j.state.In(Span{0, j.n}) {
			if r.Value != taskCommitted {
				c.record(j, Commit{Piece: Piece{Job: id, Span: r.Span}, State: task.Cancelled, Reason: "cancelled"})
			}
		}
		if j.out > 0 { // all at once: pieces that are in part committed already are stopped whole
			c.dropHolds(id, Span{0, j.n})
		}
		j.cancelled, j.cancelledAt = true, c.now
		if !ended {
			j.tell(c, entry{Kind: storyCancelled, Span: Span{0, j.n}})
		}
	}
	c.emit(CancelAccepted{id})
	c.stoppedDue(j)
}

// stoppedDue answers a cancel for the second time: nothing runs any more, or here
// is who has not confirmed that.
func (c *Core) stoppedDue(j *job) {
	if !j.cancelled || j.stopped {
		return
	}
	if c.stillHeld(j.id) {
		return
	}
	if len(j.unconfirmed) == 0 && !j.unknown {
		j.stopped = true
		c.emit(Stopped{j.id})
		return
	}
	if !j.toldWho {
		j.toldWho = true
		c.emit(Unconfirmed{j.id, j.mightRun()})
	}
}

// stillHeld tells whether any holder, our own cores or an earlier incarnation's
// grant may still have something of the job.
func (c *Core) stillHeld(id JobID) bool {
	return c.jobs[id].out > 0 || c.graceEnd > 0
}

// mightRun lists who vanished with something of the job and never confirmed its end.
func (j *job) mightRun() (peers []PeerID) {
	for _, l := range j.unconfirmed {
		if !slices.Contains(peers, l.peer) {
			peers = append(peers, l.peer)
		}
	}
	slices.Sort(peers)
	return peers
}

// dropHeld is the holder's side: stop and forget. The end is confirmed when it is one.
func (c *Core) dropHeld(u *uplink, p Piece) {
	h := u.held(p.Job)
	if h == nil {
		return
	}
	c.dropRuns(h, p)
	h.each(p.Span, p.Attempt, func(q *slot) bool {
		switch q.state {
		case ClaimUnstarted:
			u.end(End{Piece: h.piece(q), Kind: EndDropped, Warrant: q.warrant})
			return false
		case ClaimSub:
			if q.flags&slotDrop == 0 {
				c.dropBelow(h.piece(q), q)
			}
		}
		return true // an outcome or an end on its way stays until it is recorded
	})
}

// dropRuns stops runs of which nothing is wanted any more. Several tasks that were started together are dropped
// together: those that are unwanted by themselves, because another attempt was quicker, run on with the others.
func (c *Core) dropRuns(h *heldJob, p Piece) {
	for k := h.find(p.Lo); k < len(h.slots) && h.slots[k].Lo < p.Hi; k++ {
		q := &h.slots[k]
		if q.state != ClaimRunning || q.attempt != p.Attempt {
			continue
		}
		both, _ := q.meet(p.Span)
		if both != q.Span {
			h.unwanted.Set(both, true)
			dropped := uint64(0)
			for _, r := range h.unwanted.In(q.Span) {
				dropped += r.Len()
			}
			if dropped < q.Len() {
				continue
			}
		}
		q.flags |= slotDrop
		c.halt(h.piece(q))
	}
}

// dropBelow passes a drop on to whom a piece was sub-granted. We confirm it when
// they have, or are lost.
func (c *Core) dropBelow(p Piece, q *slot) {
	q.flags |= slotDrop
	if d := c.downs[q.to]; d != nil {
		d.collect(&d.drops, p)
	}
}

// cutBelow ends a sub-grant that nobody above waits for any more.
func (c *Core) cutBelow(p Piece, q *slot) {
	c.dropBelow(p, q)
	if d := c.downs[q.to]; d != nil {
		d.takeOut(p.Job, p.Span, func(h *hold) bool { return h.attempt == p.Attempt })
	}
}
