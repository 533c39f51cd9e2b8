package core

import (
	"fmt"
	"slices"
)

// mustHold asserts what must be true between any two steps. It panics, since
// whatever comes after a broken invariant is worse than an end.
func (c *Core) mustHold() {
	c.listsHold()
	must(c.tenants.reserved == nil || c.wantsRoom(c.tenants.reserved), "reserved: cores are kept for what cannot start")
	for _, j := range c.jobOrder {
		c.jobHolds(j)
	}
	for _, u := range c.upOrder {
		for _, h := range u.order {
			c.slotsHold(u, h)
		}
	}
	for _, d := range c.downList {
		for _, id := range d.order {
			for k, h := range d.jobs[id] {
				must(d.tangled || k == 0 || d.jobs[id][k-1].Hi <= h.Lo, "tangled: %s holds %v of %v twice", d.peer, h.Span, id)
			}
			if id.Home != c.cfg.ID {
				for _, h := range d.jobs[id] {
					c.subHolds(d, id, h)
				}
			}
		}
	}
}

// listsHold: whom a step does not look at needs no looking at.
func (c *Core) listsHold() {
	for _, d := range c.downs {
		must(len(d.drops)+len(d.gones)+len(d.recordeds)+len(d.recalls) == 0, "flush: something for %s was not sent", d.peer)
		must(d.listed || d.asleep(), "asleep: %s holds something", d.peer)
		must(d.asleep() || c.expireAt <= d.expires, "expiry: the lease of %s ends at %v, and is looked at at %v", d.peer, d.expires, c.expireAt)
	}
	for _, u := range c.ups {
		must(len(u.report.Outcomes)+len(u.report.Ends) == 0 || u.touched && c.gathers(u) && c.due <= u.told+gatherFor, "flush: something for %s was not sent", u.peer)
		must(u.listed || u.asleep(), "asleep: something is held from %s", u.peer)
		for _, l := range u.laneList {
			must(l.until == 0 || u.lapseAt <= l.until, "lapse: a lease from %s ends at %v, and is looked at at %v", u.peer, l.until, u.lapseAt)
		}
	}
}

func must(ok bool, format string, args ...any) {
	if !ok {
		panic("core: invariant: " + fmt.Sprintf(format, args...))
	}
}

// jobHolds: queued, held and committed partition the job; held is what somebody
// has a hold on and has no outcome, queued what nobody has.
func (c *Core) jobHolds(j *job) {
	must(j.listed || !j.queued(), "queue: %v has something in it, and is not among those that have", j.id)
	at := uint64(0)
	for r := range j.state.Runs() {
		must(r.Lo == at, "partition: %v has a hole at %d", j.id, at)
		at = r.Hi
		held := uint64(0)
		for _, h := range j.holds.In(r.Span) {
			held += h.Len()
		}
		must(r.Value != taskHeld || held == r.Len(), "held: %v[%v] is held, and of %d there is no hold", j.id, r.Span, r.Len()-held)
		must(r.Value != taskQueued || held == 0, "queued: %v[%v] is queued, and somebody holds %d of it", j.id, r.Span, held)
	}
	for r := range j.queue.Runs() {
		for _, s := range j.state.In(r.Span) {
			must(s.Value == taskQueued, "queue: %v[%v] is in the queue, and not queued", j.id, s.Span)
		}
	}
	must(j.queue.Len() == j.state.Count(taskQueued), "queue: %v: %d are queued, %d are in the queue", j.id, j.state.Count(taskQueued), j.queue.Len())
	must(at == j.n, "partition: %v ends at %d of %d", j.id, at, j.n)
	must(j.state.Count(taskCommitted) == j.committed, "committed: %v counts wrong", j.id)
	var count Spans[uint8]
	add := func(d *downlink) {
		for _, h := range d.held(j.id) {
			count.update(h.Span, func(n uint8) uint8 { return n + 1 })
		}
	}
	add(c.local)
	add(c.grace)
	for _, d := range c.downList {
		add(d)
	}
	counted, there := slices.Collect(j.holds.Runs()), slices.Collect(count.Runs())
	must(slices.Equal(counted, there), "holds: %v: %v is counted, %v is there", j.id, counted, there)
}

// slotsHold: slots are sorted and disjoint, what runs is with the engine, and what
// is sub-granted is held by exactly whom it says.
func (c *Core) slotsHold(u *uplink, h *heldJob) {
	at, unstarted := uint64(0), uint64(0)
	defer func() {
		must(unstarted == h.unstarted, "unstarted: of %v from %s %d wait, and %d are counted", h.id, u.peer, unstarted, h.unstarted)
	}()
	for k := range h.slots {
		q := &h.slots[k]
		if q.state == ClaimUnstarted {
			unstarted += q.Len()
			must(q.Lo >= h.lowest, "unstarted: %v from %s waits below %d", h.piece(q), u.peer, h.lowest)
		}
		must(q.Lo >= at && q.Lo < q.Hi, "slots: %v from %s overlap at %v", h.id, u.peer, q.Span)
		at = q.Hi
		switch q.state {
		case ClaimRunning:
			must(c.runs[h.piece(q)] != nil, "running: the engine does not have %v", h.piece(q))
		case ClaimSub:
			d := c.downs[q.to]
			must(d != nil, "sub-granted: %v is with %s, whom we do not know", h.piece(q), q.to)
			n := uint64(0)
			for _, x := range d.held(h.id) {
				if both, ok := x.meet(q.Span); ok && x.attempt == q.attempt {
					n += both.Len()
				}
			}
			must(n == q.Len(), "sub-granted: of %v %d are with %s", h.piece(q), n, q.to)
		}
	}
}

// subHolds: what we record of somebody's hold on another home's tasks is a slot of ours.
func (c *Core) subHolds(d *downlink, id JobID, h hold) {
	n := uint64(0)
	for _, u := range c.upOrder {
		held := u.held(id)
		if held == nil {
			continue
		}
		for k := range held.slots {
			q := &held.slots[k]
			if both, ok := q.meet(h.Span); ok && q.attempt == h.attempt && q.state == ClaimSub && q.to == d.peer {
				n += both.Len()
			}
		}
	}
	must(h.limbo != 0 || n == h.Len(), "sub-granted: %s holds %v of %v for us, and %d of it are lent to it", d.peer, h.Span, id, n)
}
