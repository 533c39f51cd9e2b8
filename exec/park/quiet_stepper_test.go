//go:build stepper

package park_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/filchsched/filch/exec/stepper"
)

// atRest checks a crew of which nobody can take a step any more: all workers
// sleep or run long tasks.
func (e *crew) atRest() {
	busy := 0
	for _, w := range e.workers {
		if w.holds != nil {
			busy++
		}
		if w.searching {
			stepper.Failf("searching: %s counts as a searcher, but it does not search", w.name)
		}
	}
	if idle := e.lot.Idle(); idle+busy != len(e.workers) {
		stepper.Failf("asleep: %d workers sleep and %d are busy, of %d", idle, busy, len(e.workers))
	}
	if n := e.lot.Searching(); n != 0 {
		stepper.Failf("searching: %d searchers are counted, but nobody searches", n)
	}
	if n := e.queue.TurnsOut(); n != busy {
		stepper.Failf("turns: %d turns are out, but %d workers are busy", n, busy)
	}
	for _, k := range e.tasks {
		if k.ran == 0 && e.lot.Idle() > 0 {
			stepper.Failf("stranded: %v of %s waits, but %d workers sleep", k, k.job.name, e.lot.Idle())
		}
	}
	if busy == 0 {
		e.allAsleep()
	}
}

// allAsleep checks what is left over when everybody sleeps.
func (e *crew) allAsleep() {
	if !e.queue.Empty() {
		stepper.Failf("listing: everybody sleeps, but a job is still listed")
	}
	for _, j := range e.jobs {
		if j.present.Any() {
			stepper.Failf("listing: everybody sleeps, but %s still has places marked", j.name)
		}
	}
}

// A scene is who does what.
type scene struct {
	// spawners are workers in the middle of a task, each with what the task
	// does; see stack.play.
	spawners []string
	// workers are those who are not, by what they are about to do: a is
	// asleep; n looks for a turn, having nothing; s searches, and looks once
	// more before it sleeps; t has a turn on the job and looks for a task, u
	// has one on the other job; v is a thief of the job who robs the first
	// spawner once and is gone.
	workers string
	// submits is what somebody outside submits: + a task, L a long one, l a
	// long one to the other job.
	submits string
	jobs    int // 2 for a second one
	// stale is whether the spawners' places are marked already, with nothing
	// there, and the job is listed: what a spawn and a join leave behind.
	stale     bool
	backwards bool // thieves look at the highest place first
}

func (g scene) String() string {
	return fmt.Sprintf("spawners %q, workers %q, submits %q, jobs %d, stale %v, backwards %v", g.spawners, g.workers, g.submits, max(1, g.jobs), g.stale, g.backwards)
}

// play does what a task does, by its letters: + spawns a task, L spawns one
// that takes long, - takes the newest back and runs it, = takes long itself. R
// ends the stack and goes on with a new one at the same place, J ends the turn
// and goes on with one on the other job. It returns the stack that it ends on.
func (c *stack) play(calls string) *stack {
	for _, letter := range calls {
		switch letter {
		case '+', 'L':
			c.spawn(c.e.newTask(c.w.job, letter == 'L'))
		case '-':
			if k := c.dq.Pop(); k != nil {
				c.run(k)
			}
		case '=':
			c.run(c.e.newTask(c.w.job, true))
		case 'R':
			for c.runOwn() {
			}
			c = c.replace()
		case 'J':
			for c.runOwn() {
			}
			c.changeJob()
		}
	}
	return c
}

// replace mirrors Engine.retireStack, and Engine.newStack when it gives the
// place to another stack.
func (c *stack) replace() *stack {
	e, w := c.e, c.w
	e.byPlace[c.place].Store(nil)
	n := e.newStack(c.name+"'", c.place, w)
	n.attach(w.job)
	return n
}

// changeJob is a turn that ends, and the next one, which the queue has given
// to the other job.
func (c *stack) changeJob() {
	e, w := c.e, c.w
	other := e.jobs[1]
	if w.job == other {
		other = e.jobs[0]
	}
	e.mu.Lock()
	e.settle(w, true)
	e.begin(w, other)
	e.mu.Unlock()
	c.attach(other)
	c.foundWork() // what c.play does next is a task from the inbox
}

func (g scene) program(s *stepper.Scene) {
	e := newCrew(1 + len(g.spawners) + len(g.workers))
	e.backwards = g.backwards
	j := e.newJob("job")
	if g.jobs == 2 {
		e.newJob("other")
	}
	for i, calls := range g.spawners {
		name := fmt.Sprint("spawner", i+1)
		c := e.newStack(name, i+1, e.newWorker(name))
		e.begin(c.w, j)
		c.attach(j)
		if g.stale {
			j.present.Mark(c.place)
			j.fair.SetWant(true)
		}
		e.endSearch(c.w) // its task is what it has found
		s.Daemon(c.name, func() {
			c.play(calls).serve()
		})
	}
	for i, start := range g.workers {
		name := fmt.Sprint("worker", i+1)
		c := e.newStack(name, 1+len(g.spawners)+i, e.newWorker(name))
		s.Daemon(c.name, c.from(start, j))
	}
	if g.submits != "" {
		s.Go("submitter", func() {
			for _, letter := range g.submits {
				to := j
				if letter == 'l' {
					to = e.jobs[1]
				}
				to.submit(e.newTask(to, letter != '+'))
			}
		})
	}
	s.Finally(e.atRest)
}

// begin gives w a turn on j, whoever else may want one.
func (e *crew) begin(w *worker, j *job) {
	w.turn, w.job = e.queue.TakeFor(j.fair), j
	if e.lot.Idle() > 0 {
		e.beginSearch(w)
	}
}

// from returns what a worker does from its start on.
func (c *stack) from(start rune, j *job) func() {
	e, w := c.e, c.w
	switch start {
	case 'a':
		e.lot.Sleep(w)
		return func() {
			w.wake.Receive()
			e.mu.Lock()
			e.findTurn(w, false)
			e.mu.Unlock()
			c.serve()
		}
	case 's':
		e.beginSearch(w)
		return func() {
			e.mu.Lock()
			e.findTurn(w, true)
			e.mu.Unlock()
			c.serve()
		}
	case 't':
		e.begin(w, j)
	case 'u':
		e.begin(w, e.jobs[1])
	case 'v':
		w.job = j
		e.workers = slices.DeleteFunc(e.workers, func(x *worker) bool { return x == w })
		return func() {
			if k := c.rob(j, 1); k != nil {
				c.run(k)
			}
		}
	}
	return c.serve
}

// play explores scenes.
func play(t *testing.T, scenes []scene) {
	var sum stepper.Stats
	for _, g := range scenes {
		t.Run(g.String(), func(t *testing.T) {
			stats := stepper.Check(t, stepper.Options{}, g.program)
			t.Log(stats)
			sum.Add(stats)
		})
	}
	t.Logf("%d scenes, %v", len(scenes), sum)
}

// TestNoWakeUpIsLost: whoever brings work and whoever runs out of it, in
// whatever order, at the end no task waits while a worker sleeps. Most tasks are
// long, so that one wake-up too few cannot be made good by the next worker that
// happens to come by.
func TestNoWakeUpIsLost(t *testing.T) {
	play(t, []scene{
		// One spawner.
		{spawners: []string{"+"}, workers: "n"},
		{spawners: []string{"+-+"}, workers: "a"},
		{spawners: []string{"L="}, workers: "n"},
		{spawners: []string{"LL="}, workers: "nn"},
		{spawners: []string{"LL="}, workers: "aa"},
		{spawners: []string{"LL="}, workers: "aaa"},
		{spawners: []string{"LL="}, workers: "as"},
		{spawners: []string{"LL="}, workers: "at"},
		{spawners: []string{"LL="}, workers: "tt"},
		{spawners: []string{"+"}, workers: "aa"},
		{spawners: []string{"+="}, workers: "aa"},
		{spawners: []string{"+="}, workers: "tt"},
		{spawners: []string{"L-L="}, workers: "aa"},
		// Its place is marked already, so that it wakes nobody.
		{spawners: []string{"L="}, workers: "t", stale: true},
		{spawners: []string{"LL="}, workers: "n", stale: true},
		{spawners: []string{"LL="}, workers: "at", stale: true},
		// Two spawners.
		{spawners: []string{"L=", "L="}, workers: "aa"},
		{spawners: []string{"L=", "L="}, workers: "aa", backwards: true},
		{spawners: []string{"L=", "L="}, workers: "at", stale: true},
		{spawners: []string{"+=", "L="}, workers: "n"},
		// Somebody outside submits.
		{submits: "++", workers: "n"},
		{submits: "LL", workers: "nn"},
		{submits: "++", workers: "aa"},
		{submits: "LL", workers: "tt"},
		{submits: "L", spawners: []string{"L="}, workers: "nn"},
		{submits: "L", spawners: []string{"L="}, workers: "aa"},
		{submits: "Ll", workers: "aa", jobs: 2},
		{submits: "Ll", workers: "nn", jobs: 2},
		{submits: "l", spawners: []string{"L="}, workers: "aa", jobs: 2},
		// The largest.
		{spawners: []string{"LL="}, workers: "tt", stale: true},
	})
}

// TestStacksChangeJobsAndPlaces: a deque serves one job after another, and a
// place one stack after another. No thief of one job takes a task of another, and
// nobody who cleans up after the old one hides what the new one has.
func TestStacksChangeJobsAndPlaces(t *testing.T) {
	play(t, []scene{
		{spawners: []string{"JL="}, workers: "u", stale: true, jobs: 2},
		{spawners: []string{"JL="}, workers: "at", stale: true, jobs: 2},
		{spawners: []string{"JL="}, workers: "au", stale: true, jobs: 2},
		{spawners: []string{"JL="}, workers: "avv", stale: true, jobs: 2},
		{spawners: []string{"JLL="}, workers: "vv", stale: true, jobs: 2},
		{spawners: []string{"+JL="}, workers: "vv", stale: true, jobs: 2},
		{spawners: []string{"+JL="}, workers: "t", jobs: 2},
		{spawners: []string{"+JL="}, workers: "u", jobs: 2},
		{spawners: []string{"JJL="}, workers: "t", stale: true, jobs: 2},
		{spawners: []string{"JJL="}, workers: "u", stale: true, jobs: 2},
		{spawners: []string{"JJL="}, workers: "vv", stale: true, jobs: 2},
		{spawners: []string{"RL="}, workers: "t", stale: true},
		{spawners: []string{"RL="}, workers: "n", stale: true},
		{spawners: []string{"RL="}, workers: "at", stale: true},
	})
}
