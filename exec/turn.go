package exec

import "time"

const (
	// inboxEvery is how often a stack that works off its own deque lets a
	// piece in the inbox go first, so that children of children without end
	// do not starve it. 61, as in the Go runtime: a prime, so that it does not
	// beat with a program's own period.
	inboxEvery = 61
	// maxNext is how many stacks in a row a worker resumes because it has
	// just made them ready itself; then others get a chance (tokio#5712).
	maxNext = 3
	// batchTime is how long a worker runs tasks of a bag between two looks
	// at the clock, by the job's usual task time.
	batchTime = int64(50 * time.Microsecond)
	// maxBatch bounds the tasks between two looks at the clock.
	maxBatch = 1024
)

// runTurn works for the job of c's worker until the turn is over or nothing is
// found. Afterwards c either holds its worker with no job, or has given the
// worker to another stack and holds none.
func (c *Ctx) runTurn() {
	c.attach(c.w.job)
	c.lastWorker.Store(int32(c.w.id))
	c.clock = max(c.clock, c.w.start)
	if r := c.w.assigned; r != nil {
		c.w.assigned = nil
		c.runReserved(r)
	}
	for {
		w := c.w // a task that was suspended comes back on another worker
		switch {
		case w == nil:
			return
		case c.turnIsOver():
			c.leave(true)
			return
		case w.next != nil:
			s := w.next
			w.next = nil
			c.switchTo(s)
			return
		case !c.pick():
			c.leave(false)
			return
		}
	}
}

// turnIsOver reports whether the stack must let go of its worker: the slice is
// used up, and somebody else is entitled to the next.
//
// A wide task is not parked: its donors would rest beside whoever comes.
func (c *Ctx) turnIsOver() bool {
	w := c.w
	return w.turn.Job == nil || c.wide == nil && (c.clock >= w.deadline || w.overdue.Load()) && !c.e.renew(w)
}

// leave ends the turn and takes the next one.
func (c *Ctx) leave(found bool) {
	if s := c.w.next; s != nil {
		c.w.next = nil
		s.job.Load().pushReady(s)
	}
	if !c.e.nextTurn(c.w, found) {
		c.w = nil
	}
}

// pick does one thing for the job, and reports whether there was one. The
// stack is at its root and its deque empty, since a unit ends with that.
func (c *Ctx) pick() bool {
	j := c.w.job
	s, p := j.takeFrom(c.e.share(), j.batch())
	switch {
	case s != nil:
		c.foundWork()
		c.switchTo(s)
		return true
	case p.chunk != nil:
		c.foundWork()
		c.w.nextInRow = 0
		if c.runPiece(p) {
			return true
		}
	}
	return c.steal()
}

// foundWork tells the engine that this worker's search has ended.
func (c *Ctx) foundWork() {
	if c.w.searching {
		c.e.found(c.w)
	}
}

// runOwn runs the newest child left on the stack's own deque.
func (c *Ctx) runOwn() bool {
	r := c.dq.Pop()
	if r != nil {
		c.runRoot(r)
	}
	return r != nil
}

// runRoot runs r, which is on no deque any more, at the root of the stack.
func (c *Ctx) runRoot(r *record) {
	defer c.finish(r) // a task that calls runtime.Goexit is finished as well
	c.runRecord(r)
}

// switchTo hands the worker to s, which can go on, and makes c a spare.
func (c *Ctx) switchTo(s *Ctx) {
	w := c.w
	c.w = nil
	s.resume(w)
}

// ready makes s, which was suspended, able to go on. If c holds a worker of
// the same job and is about to be done, s is next on it; else it queues.
func (c *Ctx) ready(s *Ctx) {
	w := c.w
	j := s.job.Load()
	if w != nil && w.job == j && w.next == nil && w.nextInRow < maxNext && c.dq.Len() == 0 {
		w.nextInRow++
		w.next = s
		return
	}
	j.pushReady(s)
}

// resumed is called by a stack that was suspended and has a worker again.
func (c *Ctx) resumed() {
	if c.wide != nil {
		c.e.resumeWide(c.wide)
	}
	c.lastWorker.Store(int32(c.w.id))
	c.foundWork()
	c.clock = c.e.now()
	c.uncut = c.clock
	c.fuel, c.burn = firstFuel, firstFuel
}

// Fuel: how many spawns lie between two looks at the clock. The number follows
// the pace of spawns, so that the clock is read about every fuelTime and a long
// fork-join notices the end of its turn.
const (
	firstFuel = 16
	maxFuel   = 1 << 14
	fuelTime  = int64(100 * time.Microsecond)
)

// refuel is called every so many spawns. It ends the turn if it is over: the
// stack is parked in its job's inbox with its deque open to thieves, and its
// worker serves whom it owes.
func (c *Ctx) refuel() {
	if c.w == nil {
		panic(errLent)
	}
	now := c.e.now()
	took := now - c.clock
	switch {
	case took < fuelTime/2:
		c.burn = min(c.burn*2, maxFuel)
	case took > fuelTime*2:
		c.burn = max(c.burn/4, 0)
	}
	c.fuel = c.burn
	c.clock, c.uncut = now, now
	if c.turnIsOver() {
		c.suspendReady()
	}
}

// suspendReady gives the worker away and waits for another one of the job.
func (c *Ctx) suspendReady() {
	w := c.lend()
	c.job.Load().pushReady(c)
	c.e.give(w)
	<-c.wake
	c.resumed()
}
