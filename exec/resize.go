package exec

import (
	"fmt"
	"slices"
	"time"
)

// Resize sets the number of workers, from 1 to MaxWorkers. More start at once;
// fewer leave as their turns end, and at the latest when their tasks do.
func (e *Engine) Resize(workers int) error {
	if workers < 1 || workers > MaxWorkers {
		return fmt.Errorf("exec: cannot resize to %d workers; it must be between 1 and %d", workers, MaxWorkers)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return ErrClosed
	}
	e.setTarget(workers)
	return nil
}

// Workers returns the number of workers that was asked for last.
func (e *Engine) Workers() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.target
}

// setTarget hires or wakes workers so that their number becomes n. The caller
// holds e.mu.
func (e *Engine) setTarget(n int) {
	e.target = n
	e.lot.SetLimit(n / 2)
	e.shrinkReservations()
	for len(e.workers) < e.due() {
		e.hire()
	}
	e.dismissSleepers()
}

// dismissSleepers wakes as many sleepers as there are workers too many, so
// that they see it. The caller holds e.mu.
func (e *Engine) dismissSleepers() {
	for surplus := len(e.workers) - e.due(); surplus > 0; surplus-- {
		w, ok := e.lot.Pop()
		if !ok {
			return // the others see it when their turns end
		}
		e.tellIdle()
		w.wake <- struct{}{}
	}
}

// hire adds a worker and a stack that holds it. The caller holds e.mu.
func (e *Engine) hire() *worker {
	id := slices.Index(e.slots, false)
	if id < 0 {
		id = len(e.slots)
		e.slots = append(e.slots, false)
	}
	e.slots[id] = true
	w := &worker{id: id, wake: make(chan struct{}, 1)}
	if cpus := e.machine.CPUs; len(cpus) > 0 {
		w.cpu = cpus[id%len(cpus)]
	}
	w.rng.Seed(uint64(id)+1, uint64(time.Now().UnixNano()))
	e.workers = append(e.workers, w)
	e.size.Store(int64(len(e.workers)))
	e.give(w)
	return w
}

// surplus reports whether there are more workers than there should be.
func (e *Engine) surplus() bool { return len(e.workers) > e.due() }

// due is how many workers there should be.
func (e *Engine) due() int { return e.target + e.extra + e.entitled }

// retire takes w out for good. The caller holds e.mu and the stack that holds
// w lets go of it.
func (e *Engine) retire(w *worker) {
	if w.searching {
		e.endSearch(w)
	}
	e.slots[w.id] = false
	i := slices.Index(e.workers, w)
	e.workers = slices.Delete(e.workers, i, i+1)
	e.size.Store(int64(len(e.workers)))
	// w may have been woken for work that it will not do now.
	if !e.queue.Empty() {
		e.wakeOne()
	}
}
