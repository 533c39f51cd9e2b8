package exec

import (
	"time"

	"github.com/filchsched/filch/exec/task"
)

// share says into how many parts the inbox is divided when a worker takes from
// it: twice the workers, so that the parts shrink towards the end (guided
// self-scheduling, Polychronopoulos and Kuck 1987).
func (e *Engine) share() int64 { return 2 * e.size.Load() }

// batch is how many tasks of the job fit into a turn, by their usual time.
func (j *Job) batch() int64 {
	usual := j.usual.Load()
	if usual <= 0 {
		return 1 // not known yet
	}
	return min(max(1, int64(j.e.queue.Slice())/usual), maxSpan)
}

// runPiece runs p, which is a unit, unless its needs must wait for another
// task's; then it puts p back and returns false.
func (c *Ctx) runPiece(p piece) bool {
	if p.chunk.needs != (task.Resources{}) {
		return c.runAdmitted(p)
	}
	c.runUnit(p)
	return true
}

// runUnit runs the tasks of p, or as many as the turn allows, puts the rest
// back, and ends the unit that p is.
func (c *Ctx) runUnit(p piece) {
	c.inUnit = true
	if p.len() == 1 {
		c.runSingle(p)
	} else {
		c.runSpan(p)
	}
	c.endUnit()
}

// endUnit ends the unit that the stack has run: what the tasks of the unit have
// spawned and not joined comes first. Like any fork-join it is parked when the
// turn is over, and every so often it makes way for the inbox.
func (c *Ctx) endUnit() {
	for picks := 1; c.dq.Len() > 0; picks++ {
		if c.turnIsOver() || picks%inboxEvery == 0 && c.wide == nil && c.job.Load().pieceFirst() {
			c.suspendReady()
		}
		c.runOwn()
	}
	c.inUnit = false
	c.job.Load().unitDone()
}

// runSingle runs a piece of one task.
func (c *Ctx) runSingle(p piece) {
	j := c.job.Load()
	if j.cancelled() {
		p.chunk.drop(p)
		return
	}
	defer p.chunk.ended(p.chunk, 1)
	start := c.e.now()
	c.runOne(p.chunk, p.lo)
	c.learn(start, 1)
}

// runSpan opens p to thieves and runs it task by task.
func (c *Ctx) runSpan(p piece) {
	j := c.job.Load()
	c.span.open(p)
	if c.place > 0 && !j.present.Marked(c.place) {
		c.mark()
	}
	n := int64(0) // tasks that ran
	defer func() { p.chunk.ended(p.chunk, n) }()
	for more := true; more; {
		before, start := n, c.e.now()
		size := min(maxBatch, max(1, batchTime/max(1, j.usual.Load())))
		more = c.runBatch(p.chunk, size, &n)
		c.learn(start, n-before)
		switch {
		case j.cancelled():
			rest := c.span.close()
			p.chunk.drop(rest)
			return
		case more && c.clock >= c.w.deadline && !c.e.renew(c.w):
			j.putBack(c.span.close())
			return
		}
	}
}

// runBatch runs up to size tasks of the stack's span and counts them in n. It
// returns early when a task has panicked or the watchdog calls, and false when
// the span is empty.
func (c *Ctx) runBatch(h *chunk, size int64, n *int64) (more bool) {
	finished := false
	defer func() {
		if !finished {
			c.job.Load().failures.add(caught(recover()))
			more = true
		}
	}()
	for range size {
		i, ok := c.span.next()
		if !ok {
			finished = true
			return false
		}
		*n++
		c.depth = 0
		h.run(c, h, i)
		if c.w.overdue.Load() {
			break
		}
	}
	finished = true
	return true
}

// runOne runs task i of h and keeps a panic from going further.
func (c *Ctx) runOne(h *chunk, i int64) {
	finished := false
	defer func() {
		if !finished {
			c.job.Load().failures.add(caught(recover()))
		}
	}()
	c.depth = 0
	h.run(c, h, i)
	finished = true
}

// learn mixes the time of n tasks, which began at start, into the job's usual
// time, an exponential average that forgets half in about five samples, and
// counts them. What is paid ahead, and what batches go by, is the time that a
// task keeps its worker without a chance to cut the turn: for one that forks or
// blocks, the last stretch of it.
func (c *Ctx) learn(start, n int64) {
	j := c.job.Load()
	c.clock = c.e.now()
	if n == 0 {
		return
	}
	j.ran.Add(n)
	per := max(1, min((c.clock-start)/n, c.clock-c.uncut))
	old := j.usual.Load()
	if old != 0 {
		per = old + (per-old)/8
	}
	j.usual.Store(per)
	// Turns pay for a slice at least, so only longer tasks matter to them.
	if slice := int64(j.e.queue.Slice()); per > slice || old > slice {
		j.e.mu.Lock()
		j.fair.SetUsual(time.Duration(per))
		j.e.mu.Unlock()
	}
}
