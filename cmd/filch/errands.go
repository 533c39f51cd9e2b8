package main

import (
	"context"
	"sync"
	"time"

	"github.com/filchsched/filch/cmd/filch/parallel"
)

// An errand is a row that may travel, until it has its outcome.
type errand struct {
	row  parallel.Row
	line string

	// Guarded by errands.mu.
	tries int           // that have begun here
	sent  int64         // bytes that left for the last one
	limit time.Duration // the last one's time-out
}

// errands are all that have no outcome, by their index in the job. They are as many as may be under
// way: whoever has more waits.
type errands struct {
	room chan struct{}
	done chan struct{} // closed when no more come and none is left

	mu     sync.Mutex
	open   map[uint64]*errand
	next   uint64
	closed bool
	over   bool
}

func (q *errands) init(most int) {
	q.room, q.done = make(chan struct{}, most), make(chan struct{})
	q.open = make(map[uint64]*errand)
}

// add gives an errand the next index; false if ctx ends before there is room.
func (q *errands) add(ctx context.Context, e *errand) bool {
	select {
	case q.room <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed { // the run has been cut short
		return false
	}
	q.open[q.next] = e
	q.next++
	return true
}

// close says that no more come.
func (q *errands) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.look()
}

// look notices the end. The caller has the lock.
func (q *errands) look() {
	if q.closed && len(q.open) == 0 && !q.over {
		q.over = true
		close(q.done)
	}
}

// get calls f with the errand of an index, under the lock; false if it has its outcome already.
func (q *errands) get(index uint64, f func(*errand)) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	e := q.open[index]
	if e != nil && f != nil {
		f(e)
	}
	return e != nil
}

// take is for whoever commits an errand; nil if that was done already. forget follows.
func (q *errands) take(index uint64) *errand {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.open[index]
}

// forget makes room for another errand.
func (q *errands) forget(index uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, ok := q.open[index]; ok {
		delete(q.open, index)
		<-q.room
		q.look()
	}
}

// drain gives up what is left.
func (q *errands) drain(pass func(parallel.Row)) {
	q.mu.Lock()
	left := q.open
	q.open = make(map[uint64]*errand)
	q.mu.Unlock()
	for _, e := range left {
		pass(e.row)
	}
}
