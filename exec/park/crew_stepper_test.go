//go:build stepper

package park_test

import (
	"fmt"

	"github.com/filchsched/filch/exec/fair"
	"github.com/filchsched/filch/exec/park"
	"github.com/filchsched/filch/exec/stepper"
)

// This file and the two beside it mirror the glue that the engine puts between
// the presence, the lot, the deque and the fair queue, which are the real ones. Each
// function names the one in package exec that it mirrors; whoever changes that
// one changes this one. What is left out is what cannot matter to who sleeps
// and what is taken: clocks, charges, panics, frames.

// A crew mirrors Engine with its crew and stacks.
type crew struct {
	mu      stepper.Mutex
	queue   *fair.Queue
	lot     park.Lot[*worker]
	workers []*worker
	jobs    []*job
	byPlace []stepper.Pointer[stack]
	forever stepper.Signal // is never sent: what long tasks wait for

	tasks     []*task // all that there are, in the order of their making
	backwards bool    // thieves look at the highest place first
}

// A job mirrors Job.
type job struct {
	e       *crew
	name    string
	fair    *fair.Job
	present park.Presence
	in      inbox
}

// A worker mirrors worker.
type worker struct {
	name      string
	wake      stepper.Signal
	searching bool
	job       *job
	turn      fair.Turn
	holds     *task // that it runs
}

func newCrew(places int) *crew {
	e := &crew{queue: fair.NewQueue(1), byPlace: make([]stepper.Pointer[stack], places)}
	e.lot.SetLimit(1)
	stepper.Name(&e.mu, "engine.mu")
	stepper.Name(&e.forever, "the end of a long task")
	for i := range e.byPlace {
		stepper.Name(&e.byPlace[i], "place%d", i)
	}
	return e
}

func (e *crew) newJob(name string) *job {
	j := &job{e: e, name: name, fair: e.queue.Root().NewGroup(1).NewJob(1, 0)}
	j.fair.Owner = j
	j.present.Name(name + ".present")
	stepper.Name(&j.in.mu, "%s.inbox.mu", name)
	e.jobs = append(e.jobs, j)
	return j
}

func (e *crew) newWorker(name string) *worker {
	w := &worker{name: name}
	stepper.Name(&w.wake, "%s.wake", name)
	e.workers = append(e.workers, w)
	return w
}

// nextTurn mirrors Engine.nextTurn, without resizing and reservations.
func (e *crew) nextTurn(w *worker, found bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.settle(w, found)
	e.findTurn(w, false)
}

// findTurn is the loop of Engine.nextTurn. The caller holds e.mu.
func (e *crew) findTurn(w *worker, spun bool) {
	for {
		switch {
		case e.take(w):
			return
		case !spun && e.beginSearch(w):
			spun = true
			e.spin()
		default:
			e.endSearch(w)
			e.sleep(w)
			spun = false
		}
	}
}

// settle mirrors Engine.settle.
func (e *crew) settle(w *worker, found bool) {
	j := w.job
	if j == nil {
		return
	}
	if !found && !j.present.Any() {
		j.fair.SetWant(false)
	}
	e.queue.Settle(w.turn, 1)
	w.turn = fair.Turn{}
	w.job = nil
}

// take mirrors Engine.take and Engine.begin.
func (e *crew) take(w *worker) bool {
	t, ok := e.queue.Take()
	if !ok {
		return false
	}
	w.turn = t
	w.job = t.Job.Owner.(*job)
	if e.lot.Idle() > 0 {
		e.beginSearch(w)
	}
	return true
}

// found mirrors Engine.found.
func (e *crew) found(w *worker) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.endSearch(w)
	others := e.queue.Queued()
	if w.job.fair.Queued() {
		others--
	}
	if others > 0 || w.job.present.Any() {
		e.wakeOne()
	}
}

// announce mirrors Engine.announce. The count of announcements is left out: it
// only makes searchers look earlier.
func (e *crew) announce(j *job) {
	e.mu.Lock()
	defer e.mu.Unlock()
	j.fair.SetWant(true)
	e.wakeOne()
}

// wakeOne mirrors Engine.wakeOne.
func (e *crew) wakeOne() {
	if w, ok := e.lot.Wake(); ok {
		w.searching = true
		w.wake.Send()
	}
}

// beginSearch mirrors Engine.beginSearch.
func (e *crew) beginSearch(w *worker) bool {
	if !w.searching && e.lot.BeginSearch() {
		w.searching = true
	}
	return w.searching
}

// endSearch mirrors Engine.endSearch.
func (e *crew) endSearch(w *worker) {
	if w.searching {
		w.searching = false
		e.lot.EndSearch()
	}
}

// spin mirrors Engine.spin. How long it takes does not matter, since who comes
// in between is chosen in every way.
func (e *crew) spin() {
	e.mu.Unlock()
	e.mu.Lock()
}

// sleep mirrors Engine.sleep.
func (e *crew) sleep(w *worker) {
	e.lot.Sleep(w)
	e.mu.Unlock()
	w.wake.Receive()
	e.mu.Lock()
}

// A task is what is pushed, submitted and run.
type task struct {
	name string
	job  *job
	long bool // it does not come to an end: whoever runs it is busy for good
	ran  int
	by   string
}

func (k *task) String() string {
	if k == nil {
		return ""
	}
	return k.name
}

func (e *crew) newTask(j *job, long bool) *task {
	k := &task{name: fmt.Sprintf("task%d", len(e.tasks)+1), job: j, long: long}
	e.tasks = append(e.tasks, k)
	return k
}
