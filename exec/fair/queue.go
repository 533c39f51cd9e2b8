package fair

import (
	"fmt"
	"time"
)

// A Queue decides whose turn it is. It is a tree: groups (tenants) hold groups
// and jobs, and every level is ordered by virtual runtime. It is a plain data
// structure: the caller holds its lock, owns the clock and reports what was
// used.
type Queue struct {
	root   Group
	slice  time.Duration
	queued int   // jobs that stand in a heap
	turns  int   // turns that are out
	ahead  int64 // nanoseconds that those turns have paid ahead
}

// NewQueue returns an empty queue whose turns pay for at least slice.
func NewQueue(slice time.Duration) *Queue {
	q := &Queue{slice: max(slice, 1)}
	q.root.init(q, nil, unit)
	return q
}

// Root returns the group that tenants are made in.
func (q *Queue) Root() *Group { return &q.root }

// Slice returns the least time that a turn pays for.
func (q *Queue) Slice() time.Duration { return q.slice }

// TurnsOut returns the number of turns that have been taken and not settled.
func (q *Queue) TurnsOut() int { return q.turns }

// A Turn is a worker's slice on one job. It pays when it is taken, so that
// many workers asking at once spread over the jobs instead of all taking the
// one that has had least so far.
type Turn struct {
	Job  *Job
	paid int64 // nanoseconds
}

// Paid returns what the turn has paid for so far.
func (t *Turn) Paid() time.Duration { return time.Duration(t.paid) }

// Empty reports whether no job wants a turn.
func (q *Queue) Empty() bool { return len(q.root.heap) == 0 }

// Take takes a turn on the job that has had the least of its share, in the
// group that has had the least of its own, or reports that no job wants one.
func (q *Queue) Take() (Turn, bool) {
	if q.Empty() {
		return Turn{}, false
	}
	e := &q.root.entity
	for e.group != nil {
		e = e.group.first()
	}
	return q.TakeFor(e.job), true
}

// TakeFor takes a turn on j whoever else may want one: for work that has
// waited for its resources and got them.
func (q *Queue) TakeFor(j *Job) Turn {
	t := Turn{Job: j, paid: max(int64(q.slice), j.usual)}
	j.addOut(1)
	j.stay()
	q.turns++
	q.ahead += t.paid
	j.charge(t.paid)
	j.refresh()
	return t
}

// Renew is for a turn that is over while its job has more to do. If no other
// job is further behind, the turn is settled for what it used, paid anew, and
// Renew returns true. Otherwise it returns false, and the turn is settled.
func (q *Queue) Renew(t *Turn, used time.Duration) bool {
	j := t.Job
	j.settle(t.paid, max(0, int64(used)))
	j.used += max(0, int64(used))
	q.ahead -= t.paid
	if !j.least() {
		t.paid = 0
		j.addOut(-1)
		q.turns--
		q.check()
		j.refresh()
		return false
	}
	t.paid = max(int64(q.slice), j.usual)
	q.ahead += t.paid
	j.charge(t.paid)
	return true
}

// Least returns the job that Take would take a turn on, or nil.
func (q *Queue) Least() *Job {
	if q.Empty() {
		return nil
	}
	e := &q.root.entity
	for e.group != nil {
		e = e.group.heap[0]
	}
	return e.job
}

// Queued returns the number of jobs that want a turn and may have one.
func (q *Queue) Queued() int { return q.queued }

// TopUp charges a running turn for more than it paid: overruns are charged as
// they happen, not when the task at last ends.
func (q *Queue) TopUp(t *Turn, more time.Duration) {
	if more <= 0 {
		return
	}
	t.paid += int64(more)
	q.ahead += int64(more)
	t.Job.charge(int64(more))
}

// Settle ends a turn that used so much slot time: the job gets back what it
// paid too much, or pays what is missing.
func (q *Queue) Settle(t Turn, used time.Duration) {
	j := t.Job
	if j.out <= 0 || q.turns <= 0 {
		panic(fmt.Sprintf("fair: settling a turn of a job with %d turns out", j.out))
	}
	j.addOut(-1)
	q.turns--
	q.ahead -= t.paid
	q.check()
	j.settle(t.paid, max(0, int64(used)))
	j.used += max(0, int64(used))
	j.refresh()
}

// check asserts that what is paid ahead belongs to turns that are out.
func (q *Queue) check() {
	if q.ahead < 0 || (q.turns == 0) != (q.ahead == 0) {
		panic(fmt.Sprintf("fair: %d turns are out, but %d ns are paid ahead", q.turns, q.ahead))
	}
}
