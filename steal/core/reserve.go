package core

// This file is about tasks that need more than is free: several cores, or memory. The tenant whose turn it is reserves
// what its next task lacks, and nobody whose turn comes later takes it; else a task of two cores would wait for ever
// beside a steady run of those that need one. There is one reservation at a time, so that two tasks which each have half
// of what they need cannot exist. It lasts at most as long as what runs: what starts meanwhile does not touch what is
// reserved. No estimate is asked whether something short would fit into the gap.
//
// Memory comes first: while it lacks, those that declare none go on, as the cores would idle for as long as somebody
// holds the memory. Then it collects cores, and nothing else starts. A task wider than the machine collects all of it. Children
// (slack.go) of the owner start before any other work of the owner's, so before its reservations, too. A reservation ends when its
// tenant has nothing that could start: taken by a peer, cancelled, paused, its lease is over.
//
// (package exec does the same with its workers, for what it was given at once.)

// memoryFree tells whether a task's memory is there beside what running tasks hold. A child's is, too, when all that runs
// waits: it may be waiting for just this child.
func (c *Core) memoryFree(t *Terms) bool {
	return c.cfg.Memory <= 0 || memoryOf(t) <= c.cfg.Memory-c.memory || t.Child && c.inUse() == 0
}

// memoryOf is what a task declares; peers may declare nonsense.
func memoryOf(t *Terms) int64 { return max(0, t.Needs.Memory) }

// reserve keeps what becomes free for the next task of a tenant, whose turn it is, unless there is a reservation.
func (c *Core) reserve(x *tenant) {
	if c.tenants.reserved == nil && !c.fits(x.terms()) && c.wantsRoom(x) {
		c.tenants.reserved = x
	}
}

// startReserved starts the task of the reservation if there is room for it now.
func (c *Core) startReserved() {
	x := c.tenants.reserved
	for c.inUse() < c.cores && c.childFirst(x) {
	}
	x.leaf.SetWant(true)
	if started, _ := c.startOf(x); started {
		c.tenants.reserved = nil
	}
}

// endReservation forgets a reservation for what cannot start any more. It reports whether it did.
func (c *Core) endReservation() bool {
	if c.tenants.reserved == nil || c.wantsRoom(c.tenants.reserved) {
		return false
	}
	c.tenants.reserved = nil
	return true
}

// collects tells whether every core that becomes free is kept. For a child it is, whatever it lacks: its parent may be
// who holds the memory.
func (c *Core) collects() bool {
	x := c.tenants.reserved
	return x != nil && (x.terms().Child || c.memoryFree(x.terms()))
}

// reservedFrom tells whether somebody else's reservation keeps a task from starting.
func (c *Core) reservedFrom(t *Terms) bool {
	x := c.tenants.reserved
	return x != nil && x.terms() != t && !t.Child && (c.collects() || memoryOf(t) > 0)
}

// wantsRoom tells whether a tenant has a task that could start if it had room. A suspect whose home is being asked
// does not reserve: the home may never answer.
func (c *Core) wantsRoom(x *tenant) bool {
	if j := x.job; j != nil {
		return j.queued() && j.spare() > 0 && c.barred(&j.terms) == ""
	}
	if x.up.canStart() == 0 || !c.mayStart(x.up, x.held) {
		return false
	}
	for _, q := range x.held.waiting() {
		asks := q.flags&slotAllowed != 0 || q.flags&slotAsked == 0 && x.up.state == linkOpen
		if c.leased(x.up, x.held, q) && (!q.suspect || asks) {
			return true
		}
	}
	return false
}

func (x *tenant) terms() *Terms {
	if x.job != nil {
		return &x.job.terms
	}
	return &x.held.terms
}

func (x *tenant) id() JobID {
	if x.job != nil {
		return x.job.id
	}
	return x.held.id
}
