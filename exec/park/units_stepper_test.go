//go:build stepper

package park_test

import (
	"fmt"
	"testing"

	"github.com/filchsched/filch/exec/deque"
	"github.com/filchsched/filch/exec/stepper"
)

// An account mirrors how a Job knows that it has come to its end: inbox.queued,
// inbox.closed, inbox.over and Job.units.
type account struct {
	mu     stepper.Mutex // inbox.mu
	units  stepper.Int64
	queued int
	closed bool
	over   bool
	ended  int // how often the job was declared to be over
	tasks  []*task
}

func newAccount() *account {
	a := new(account)
	stepper.Name(&a.mu, "inbox.mu")
	stepper.Name(&a.units, "units")
	return a
}

// unitDone mirrors Job.unitDone.
func (a *account) unitDone() {
	if a.units.Add(-1) == 0 {
		a.checkDone()
	}
}

// checkDone mirrors Job.checkDone.
func (a *account) checkDone() {
	a.mu.Lock()
	over := a.closed && a.queued == 0 && a.units.Load() == 0 && !a.over
	if over {
		a.over = true
	}
	a.mu.Unlock()
	if !over {
		return
	}
	if a.ended++; a.ended > 1 {
		stepper.Failf("over: the job was declared to be over twice")
	}
	for _, k := range a.tasks {
		if k.ran == 0 {
			stepper.Failf("over: the job was declared to be over, but %v has not run", k)
		}
	}
}

func (a *account) run(k *task) {
	if k.ran++; k.ran > 1 {
		stepper.Failf("once: %v was run twice", k)
	}
	if a.over {
		stepper.Failf("over: %v was run after the job was declared to be over", k)
	}
}

// take mirrors Job.takeFrom.
func (a *account) take() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.queued == 0 {
		return false
	}
	a.queued--
	a.units.Add(1)
	return true
}

// close mirrors Job.Close.
func (a *account) close() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.checkDone()
}

// TestAJobEndsOnceAndNotTooEarly: a worker takes a task from the inbox that
// spawns children, thieves rob it, and somebody closes the job.
func TestAJobEndsOnceAndNotTooEarly(t *testing.T) {
	var sum stepper.Stats
	for _, g := range []struct{ workers, children, thieves, tries int }{
		{1, 1, 1, 2}, {1, 2, 1, 2}, {1, 1, 2, 1}, {2, 0, 0, 0}, {2, 1, 1, 1}, {1, 3, 1, 1},
	} {
		t.Run(fmt.Sprintf("%+v", g), func(t *testing.T) {
			sum.Add(stepper.Check(t, stepper.Options{}, func(s *stepper.Scene) {
				deque.Capacity = 2
				a := newAccount()
				a.queued = g.workers
				stacks := make([]*deque.Deque[task], g.workers)
				for i := range stacks {
					d := new(deque.Deque[task])
					stacks[i] = d
					name := fmt.Sprint("worker", i+1)
					d.Name(name)
					s.Go(name, func() { a.unit(d, g.children) })
				}
				for i := range g.thieves {
					s.Go(fmt.Sprint("thief", i+1), func() {
						for range g.tries {
							a.rob(stacks[0])
						}
					})
				}
				s.Go("closer", a.close)
				s.Finally(func() {
					if a.ended != 1 || a.units.Load() != 0 {
						stepper.Failf("over: the job was declared to be over %d times, %d units are left", a.ended, a.units.Load())
					}
				})
			}))
		})
	}
	t.Log(sum)
}

// unit mirrors Ctx.pick, Ctx.runUnit and Ctx.endUnit, for a task that spawns
// children and joins none.
func (a *account) unit(d *deque.Deque[task], children int) {
	if !a.take() {
		return
	}
	for range children {
		k := &task{name: fmt.Sprint("child", len(a.tasks)+1)}
		a.tasks = append(a.tasks, k)
		if !d.Push(k) {
			a.run(k)
		}
	}
	for k := d.Pop(); k != nil; k = d.Pop() {
		a.run(k)
	}
	a.unitDone()
}

// rob mirrors Ctx.rob and Ctx.steal.
func (a *account) rob(d *deque.Deque[task]) {
	a.units.Add(1)
	if k, _ := d.Steal(); k != nil {
		a.run(k)
	}
	a.unitDone()
}
