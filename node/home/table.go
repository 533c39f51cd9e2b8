package home

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// A Driver is what a Table needs of a steal.Driver.
type Driver interface {
	Submit(ctx context.Context, t core.Terms, n uint64) (core.JobID, error)
	Tell(events ...core.Event) error
	ExtendBy(job core.JobID, more func() uint64) error
}

// A record is a job of the protocol that the table answers for.
type record interface {
	header() ([]byte, error)
	body(b []byte, index uint64) ([]byte, error)
	// committed is called by the driver, and later is what is left of it for Run; nil:
	// nothing.
	committed(c core.Commit, outputs []steal.Output) (later func())
	told(e core.Effect)
	// end says that nothing more will be told.
	end()
}

// A Table is the home of what is submitted to a node. Make one with New, connect it with
// Begin, and Run it. All methods may be called concurrently.
type Table struct {
	driver Driver
	stir   func() // something was submitted or committed

	mu       sync.RWMutex
	records  map[core.JobID]record // guarded by mu, like what follows
	jobs     []*Job                // the oldest first
	finished int                   // of jobs
	tasks    int                   // of jobs
	bodies   int64                 // bytes of arguments of jobs' tasks without an outcome
	kept     int64                 // bytes of output
	calls    map[string]*Calls
	closed   bool

	flight flight
	ranges atomic.Int64 // calls of ranges without an outcome
	later  queue
	counts counts

	// Wanted, if not nil, is told that offers of peers wait for work. It is set before Begin and must not block.
	Wanted func()
}

var _ steal.Home = (*Table)(nil)

// New returns an empty table. stir, if not nil, is called whenever there is something
// more or less to do; it must not block.
func New(stir func()) *Table {
	if stir == nil {
		stir = func() {}
	}
	t := &Table{stir: stir, records: make(map[core.JobID]record), calls: make(map[string]*Calls)}
	t.flight.room, t.flight.ended = make(chan struct{}, 1), make(chan struct{})
	t.later.wake = make(chan struct{}, 1)
	return t
}

// Begin connects the table with its driver, before anything is submitted.
func (t *Table) Begin(d Driver) { t.driver = d }

// Run does what the driver must not wait for, until ctx is done; then whoever waits for
// a job or a call is told that the node has ended.
func (t *Table) Run(ctx context.Context) error {
	defer t.end()
	for {
		for {
			f, ok := t.later.take()
			if !ok {
				break
			}
			f()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.later.wake:
		}
	}
}

// end tells everybody that nothing more will come.
func (t *Table) end() {
	t.mu.Lock()
	t.closed = true
	all := make([]record, 0, len(t.records))
	for _, r := range t.records {
		all = append(all, r)
	}
	t.mu.Unlock()
	for {
		f, ok := t.later.take()
		if !ok {
			break
		}
		f()
	}
	for _, r := range all {
		r.end()
	}
	t.flight.close()
}

// Refuse has the table take nothing more: the node is about to end.
func (t *Table) Refuse() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
}

// Header implements steal.Home.
func (t *Table) Header(id core.JobID) ([]byte, error) {
	r := t.record(id)
	if r == nil {
		return nil, ErrUnknown
	}
	return r.header()
}

// Body implements steal.Home.
func (t *Table) Body(b []byte, id core.JobID, index uint64) ([]byte, error) {
	r := t.record(id)
	if r == nil {
		return b, ErrUnknown
	}
	return r.body(b, index)
}

// Committed implements steal.Home.
func (t *Table) Committed(c core.Commit, outputs []steal.Output) {
	r := t.record(c.Piece.Job)
	if r == nil {
		closeAll(outputs)
		return
	}
	t.stir()
	if f := r.committed(c, outputs); f != nil {
		t.later.put(f)
	}
}

// Told implements steal.Home.
func (t *Table) Told(e core.Effect) {
	var id core.JobID
	switch e := e.(type) {
	case core.CancelAccepted:
		id = e.Job
	case core.Stopped:
		id = e.Job
	case core.Unconfirmed:
		id = e.Job
	case core.JobDone:
		id = e.Job
	case core.Wanted:
		if t.Wanted != nil {
			t.Wanted()
		}
		return
	default:
		return
	}
	r := t.record(id)
	if _, calls := r.(*Calls); calls {
		return // each call that returns and has no other beside it is told here as the end of the calls' job
	}
	if r != nil {
		t.later.put(func() { r.told(e) }) // behind the commits that came before it
	}
}

func (t *Table) record(id core.JobID) record {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.records[id]
}

// Jobs returns the jobs that are remembered, the oldest first; calls are not among them.
func (t *Table) Jobs() []*Job {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.Clone(t.jobs)
}

// Job returns a job, or nil.
func (t *Table) Job(id core.JobID) *Job {
	j, _ := t.record(id).(*Job)
	return j
}

// Owns tells whether a job is remembered here, calls included, and what it runs.
func (t *Table) Owns(id core.JobID) (name string, kind task.Kind, ok bool) {
	switch r := t.record(id).(type) {
	case *Job:
		return r.Name, r.Kind, true
	case *Calls:
		return r.name, task.KindFunc, true
	case *Range:
		return r.name, task.KindFunc, true
	}
	return "", "", false
}

// forgetOld lets go of ended jobs beyond what is remembered.
func (t *Table) forgetOld() {
	t.mu.Lock()
	var forgotten []core.Event
	for i := 0; i < len(t.jobs) && (t.finished > MaxFinished || t.finished > 0 && (t.tasks > MaxAllTasks/2 || t.bodies > MaxAllBodies/2)); {
		j := t.jobs[i]
		if !j.over() {
			i++
			continue
		}
		t.jobs = slices.Delete(t.jobs, i, i+1)
		delete(t.records, j.ID)
		t.finished--
		t.tasks -= j.N
		t.bodies -= j.size
		t.kept -= j.dropKept()
		forgotten = append(forgotten, core.Forget{Job: j.ID})
	}
	t.mu.Unlock()
	if len(forgotten) > 0 {
		_ = t.driver.Tell(forgotten...) // an ended driver has forgotten everything
	}
}

// makeRoom accounts for n bytes of output, for which the oldest ended jobs make room, and tells
// whether there is any.
func (t *Table) makeRoom(n int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, j := range t.jobs {
		if t.kept+n <= MaxAllKept {
			break
		}
		if j.over() {
			t.kept -= j.dropKept()
		}
	}
	if t.kept+n > MaxAllKept {
		return false
	}
	t.kept += n
	return true
}

// A queue is what is left for Run to do, in order. It is bounded by what may be submitted.
type queue struct {
	mu   sync.Mutex
	todo []func()
	head int
	wake chan struct{}
}

func (q *queue) put(f func()) {
	q.mu.Lock()
	q.todo = append(q.todo, f)
	first := len(q.todo)-q.head == 1
	q.mu.Unlock()
	if first {
		select {
		case q.wake <- struct{}{}:
		default:
		}
	}
}

func (q *queue) take() (func(), bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.head == len(q.todo) {
		q.todo, q.head = q.todo[:0], 0
		return nil, false
	}
	f := q.todo[q.head]
	q.todo[q.head] = nil
	q.head++
	return f, true
}

// counts are for metrics.
type counts struct{ done, failed, cancelled [2]atomic.Uint64 }

func kindIndex(k task.Kind) int {
	if k == task.KindProc {
		return 1
	}
	return 0
}

func (c *counts) add(k task.Kind, s task.State, n uint64) {
	i := kindIndex(k)
	switch s {
	case task.Done:
		c.done[i].Add(n)
	case task.Cancelled:
		c.cancelled[i].Add(n)
	default:
		c.failed[i].Add(n)
	}
}

// A Count is how many tasks of a kind ended in a state.
type Count struct {
	Kind  task.Kind
	State task.State
	N     uint64
}

// Counts tells how many tasks of this home ended in what, since it began.
func (t *Table) Counts() (all []Count) {
	for i, k := range []task.Kind{task.KindFunc, task.KindProc} {
		all = append(all, Count{k, task.Done, t.counts.done[i].Load()}, Count{k, task.Failed, t.counts.failed[i].Load()}, Count{k, task.Cancelled, t.counts.cancelled[i].Load()})
	}
	return all
}

// Waiting tells how many tasks of a kind have no outcome yet.
func (t *Table) Waiting() map[task.Kind]int64 {
	all := map[task.Kind]int64{task.KindFunc: t.flight.n.Load() + t.ranges.Load(), task.KindProc: 0}
	for _, j := range t.Jobs() {
		if !j.over() {
			all[j.Kind] += int64(j.N) - int64(j.Counts().Ended())
		}
	}
	return all
}

// monotone is when something happened, for people.
func monotone() time.Time { return time.Now() }

func closeAll(outputs []steal.Output) {
	for _, o := range outputs {
		if o.Data != nil {
			o.Data.Close()
		}
	}
}
