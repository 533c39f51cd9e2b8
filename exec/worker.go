package exec

import (
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/filchsched/filch/exec/fair"
	"github.com/filchsched/filch/exec/park"
	"github.com/filchsched/filch/topology"
)

// A worker is the right to one core. A stack holds it while it runs; when the
// stack blocks, it hands the worker to another stack. So a worker is a small
// record that travels between goroutines, as a P does in the Go runtime.
type worker struct {
	id   int // slot number, the lowest that was free
	cpu  topology.CPU
	wake chan struct{} // capacity 1: a wake-up that comes early is kept

	// Owned by the stack that holds the worker.
	rng       rand.PCG
	next      *Ctx // a stack that this worker has just made ready
	nextInRow int
	assigned  *reservation // what it runs as soon as its turn has begun

	// The turn: written by the holder under Engine.mu, read by the watchdog
	// under Engine.mu and by the holder without.
	job      *Job
	turn     fair.Turn // zero while w.job is set: settled already
	start    int64     // when the turn began, engine time
	deadline int64     // when it is over

	// Guarded by Engine.mu.
	searching bool // counted in the lot and in hungry
	resting   bool // sleeps, or is a donor
	entitled  bool // serves jobs that are owed a worker beyond the cores; constant

	// overdue is set by the watchdog when the turn is long over, and polled
	// by the holder between tasks.
	overdue atomic.Bool
}

// crew is the set of workers. All fields are guarded by Engine.mu.
type crew struct {
	machine *topology.Topology
	workers []*worker
	target  int          // what was asked for
	extra   int          // substitutes for workers that block unmarked
	slots   []bool       // slot numbers in use
	size    atomic.Int64 // len(workers), for who does not hold the lock
	lot     park.Lot[*worker]
	closed  bool
}

// spinRounds is how often a worker that found nothing looks at the count of
// announcements before it sleeps, and spinPause how many idle iterations lie
// between two looks. Together a few microseconds: about what a wake-up costs.
const (
	spinRounds = 48
	spinPause  = 64
)

// nextTurn settles the turn of w, if it has one, and takes another. It returns
// true when w has a turn and false when w is no more. The caller is at its
// root: it holds w and runs no task. found is false if the worker left its job
// because it found nothing there.
func (e *Engine) nextTurn(w *worker, found bool) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.settle(w, found)
	spun := false
	for {
		switch {
		case w.assigned != nil:
			return true // it has completed a reservation and begun its turn
		case w.entitled:
			if !e.serveEntitled(w) {
				e.entitled--
				e.retire(w)
				return false
			}
			return true
		case e.surplus():
			e.retire(w)
			return false
		case e.donate(w):
			spun = false
		case e.take(w):
			return true
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

// settle ends the turn of w. The caller holds e.mu.
func (e *Engine) settle(w *worker, found bool) {
	j := w.job
	if j == nil {
		return
	}
	if !found && !j.present.Any() {
		j.fair.SetWant(false)
	}
	if w.turn.Job != nil {
		e.queue.Settle(w.turn, e.slotTime(w))
		w.turn = fair.Turn{}
	}
	w.job = nil
}

// slotTime is what the turn of w has used so far.
func (e *Engine) slotTime(w *worker) time.Duration { return time.Duration(e.now() - w.start) }

// take takes a turn for w if a job wants one. The caller holds e.mu.
func (e *Engine) take(w *worker) bool {
	t, ok := e.queue.Take()
	if !ok {
		return false
	}
	e.begin(w, t)
	if e.lot.Idle() > 0 {
		// Others sleep. Until w has found its first task it counts as
		// the searcher who will wake the next one.
		e.beginSearch(w)
	}
	return true
}

// begin starts a turn that was taken. The caller holds e.mu.
func (e *Engine) begin(w *worker, t fair.Turn) {
	w.turn = t
	w.job = t.Job.Owner.(*Job)
	w.start = e.now()
	w.deadline = w.start + int64(t.Paid())
	w.overdue.Store(false)
	e.wakeWatchdog()
}

// renew is called by a worker whose turn is over while its job has more to do.
// It reports whether the job may go on; if not, the turn has been settled, and
// the caller puts the rest back and takes its next turn.
func (e *Engine) renew(w *worker) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	w.overdue.Store(false)
	if e.surplus() || e.wantsDonor() || w.job.cancelled() {
		e.queue.Settle(w.turn, e.slotTime(w))
		w.turn = fair.Turn{}
		return false
	}
	same := e.queue.Renew(&w.turn, e.slotTime(w))
	if !same {
		w.turn = fair.Turn{}
		return false
	}
	w.start = e.now()
	w.deadline = w.start + int64(w.turn.Paid())
	return true
}

// found ends the search of w, which has found its first task, and wakes a
// sleeper if there is more. Wakes spread like that, one worker waking the next.
func (e *Engine) found(w *worker) {
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

// announce makes it known that j has work that a worker could take. It is
// called after the work was published and its presence bit went from clear to
// set.
func (e *Engine) announce(j *Job) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.events.Add(1)
	j.fair.SetWant(true)
	e.wakeOne()
}

// wakeOne wakes a sleeper unless a searcher will see the news. The caller
// holds e.mu; the channel has room, since only a sleeper is woken, and once.
func (e *Engine) wakeOne() {
	if w, ok := e.lot.Wake(); ok {
		e.tellIdle()
		w.searching = true
		w.resting = false
		w.wake <- struct{}{}
	}
}

// beginSearch reports whether w is a searcher, making it one if there are not
// enough. The caller holds e.mu.
func (e *Engine) beginSearch(w *worker) bool {
	if !w.searching && e.lot.BeginSearch() {
		w.searching = true
		e.hungry.Add(1)
	}
	return w.searching
}

func (e *Engine) endSearch(w *worker) {
	if w.searching {
		w.searching = false
		e.lot.EndSearch()
		e.hungry.Add(-1)
	}
}

// spin gives up e.mu for a few microseconds, or until something is announced.
func (e *Engine) spin() {
	seen := e.events.Load()
	e.mu.Unlock()
	for range spinRounds {
		if e.events.Load() != seen {
			break
		}
		pause(spinPause)
	}
	e.mu.Lock()
}

// sleep gives up e.mu until w is woken. Nothing was listed when it was called
// under the lock, so what comes later finds w among the sleepers.
func (e *Engine) sleep(w *worker) {
	e.lot.Sleep(w)
	e.tellIdle()
	e.hungry.Add(1)
	w.resting = true
	e.mu.Unlock()
	<-w.wake
	e.mu.Lock()
	w.resting = false
	if !w.searching {
		e.hungry.Add(-1) // woken for another reason than work
	}
}

// pause burns about n cycles without touching shared memory.
//
//go:noinline
func pause(n int) {
	for range n {
	}
}
