//go:build stepper

package park_test

import (
	"github.com/filchsched/filch/exec/deque"
	"github.com/filchsched/filch/exec/park"
	"github.com/filchsched/filch/exec/stepper"
)

// inboxPlace mirrors the constant in package exec.
const inboxPlace = 0

// A stack mirrors Ctx.
type stack struct {
	e        *crew
	w        *worker
	dq       deque.Deque[task]
	job      stepper.Pointer[job]
	visitors stepper.Int32
	place    int
	bit      *park.Word
	mask     uint64
	name     string
}

func (c *stack) String() string {
	if c == nil {
		return ""
	}
	return c.name
}

// newStack mirrors Engine.newStack; ctxMu, a leaf lock, is left out.
func (e *crew) newStack(name string, place int, w *worker) *stack {
	c := &stack{e: e, w: w, place: place, name: name}
	c.dq.Name(name + ".deque")
	stepper.Name(&c.job, "%s.job", name)
	stepper.Name(&c.visitors, "%s.visitors", name)
	e.byPlace[place].Store(c)
	return c
}

// serve mirrors Ctx.serve and Ctx.runTurn.
func (c *stack) serve() {
	found := true
	for {
		if c.w.job == nil {
			c.e.nextTurn(c.w, found)
		}
		c.attach(c.w.job)
		for c.pick() {
		}
		c.e.nextTurn(c.w, false) // leave
	}
}

// attach mirrors Ctx.attach.
func (c *stack) attach(j *job) {
	old := c.job.Load()
	if old == j {
		return
	}
	c.job.Store(j)
	c.visitors.Await(func(n int32) bool { return n == 0 })
	if old != nil {
		old.present.Clear(c.place)
	}
	c.bit, c.mask = j.present.Word(c.place)
}

// spawn mirrors Fn.Spawn.
func (c *stack) spawn(k *task) {
	if !c.dq.Push(k) {
		c.run(k)
		return
	}
	if c.bit.Load()&c.mask == 0 {
		c.mark()
	}
}

// mark mirrors Ctx.mark.
func (c *stack) mark() {
	j := c.job.Load()
	if j.present.Mark(c.place) {
		c.e.announce(j)
	}
}

// pick mirrors Ctx.pick.
func (c *stack) pick() bool {
	if c.runOwn() {
		return true
	}
	if k := c.w.job.takeFrom(); k != nil {
		c.foundWork()
		c.run(k)
		return true
	}
	return c.steal()
}

// runOwn mirrors Ctx.runOwn.
func (c *stack) runOwn() bool {
	k := c.dq.Pop()
	if k != nil {
		c.run(k)
	}
	return k != nil
}

// foundWork mirrors Ctx.foundWork.
func (c *stack) foundWork() {
	if c.w.searching {
		c.e.found(c.w)
	}
}

// steal mirrors Ctx.steal.
func (c *stack) steal() bool {
	j := c.w.job
	for {
		victim := c.nearestVictim(j)
		if victim < 0 {
			return false
		}
		k := c.rob(j, victim)
		if k == nil {
			continue
		}
		c.foundWork()
		c.run(k)
		return true
	}
}

// nearestVictim mirrors Ctx.nearestVictim; all places are equally near, and
// which one is chosen is up to the crew.
func (c *stack) nearestVictim(j *job) int {
	victim := -1
	j.present.Each(func(place int) bool {
		if place == inboxPlace {
			return true
		}
		if victim < 0 || c.e.backwards {
			victim = place
		}
		return true
	})
	return victim
}

// stealRetries mirrors the constant in package exec; more retries than thieves
// change nothing.
const stealRetries = 2

// rob mirrors Ctx.rob.
func (c *stack) rob(j *job, place int) *task {
	v := c.e.byPlace[place].Load()
	if v == nil {
		c.vacate(j, place)
		return nil
	}
	if len(c.e.jobs) > 1 { // nobody waits for visitors otherwise
		v.visitors.Add(1)
		defer v.visitors.Add(-1)
	}
	if v.job.Load() != j {
		c.vacate(j, place)
		return nil
	}
	for range stealRetries {
		k, again := v.dq.Steal()
		if k != nil {
			if k.job != j {
				stepper.Failf("mixed up: a thief of %s took %v of %s", j.name, k, k.job.name)
			}
			return k
		}
		if !again && c.vacate(j, place) {
			break
		}
	}
	return nil
}

// vacate mirrors Ctx.vacate.
func (c *stack) vacate(j *job, place int) bool {
	vacated, announce := j.present.Vacate(place, func() bool {
		v := c.e.byPlace[place].Load()
		return v == nil || v.job.Load() != j || v.dq.Empty()
	})
	if announce {
		c.e.announce(j)
	}
	return vacated
}

// run runs a task.
func (c *stack) run(k *task) {
	if k.ran++; k.ran > 1 {
		stepper.Failf("once: %v was run by %s and by %s", k, k.by, c.w.name)
	}
	k.by = c.w.name
	if k.long {
		c.w.holds = k
		c.e.forever.Receive()
	}
}

// An inbox mirrors inbox, with tasks instead of pieces and stacks.
type inbox struct {
	mu    stepper.Mutex
	tasks []*task
}

// submit mirrors Job.submitPiece, Job.arrived and Job.pushReady.
func (j *job) submit(k *task) {
	j.in.mu.Lock()
	j.in.tasks = append(j.in.tasks, k)
	announce := !j.present.Marked(inboxPlace) && j.present.Mark(inboxPlace)
	j.in.mu.Unlock()
	if announce {
		j.e.announce(j)
	}
}

// takeFrom mirrors Job.takeFrom and Job.left.
func (j *job) takeFrom() *task {
	if !j.present.Marked(inboxPlace) {
		return nil
	}
	j.in.mu.Lock()
	defer j.in.mu.Unlock()
	if len(j.in.tasks) == 0 {
		return nil
	}
	k := j.in.tasks[0]
	j.in.tasks = j.in.tasks[1:]
	if len(j.in.tasks) == 0 {
		j.present.Clear(inboxPlace)
	}
	return k
}
