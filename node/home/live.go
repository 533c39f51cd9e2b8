package home

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/node/function"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// This file is about calls whose arguments and results are Go values for as long as they stay in this
// process. Such a call is encoded when it leaves, and decoded by nobody if it does not.

// A Live is one of them.
type Live interface {
	function.Local
	// Encode appends the call, as it travels, to b. It is called from any goroutine, perhaps several times, and
	// perhaps while the call runs here.
	Encode(b []byte) ([]byte, error)
	// Settle is told the one outcome, once. It is called by the driver and must not block.
	Settle(r Reply)
}

// A Reply is what a live call ended in. Value is what came from another process; a run of this process keeps its
// result itself.
type Reply struct {
	Value   []byte
	Err     error // a *TaskError, ErrCancelled or ErrEnded
	Node    core.PeerID
	Attempt core.Attempt
	Ran     time.Duration // about; 0: not known
}

// encoded appends to b what encode does. That is code of the program's: what goes wrong in it, a panic too, is an error of
// the call, and leaves b as it was. It runs on goroutines of the driver, which go on.
func encoded(b []byte, encode func([]byte) ([]byte, error)) (all []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
		if err == nil && len(all) < len(b) {
			err = errors.New("the codec has taken bytes away that are not its own")
		}
		if err != nil {
			all, err = b, fmt.Errorf("the argument cannot be encoded: %w", err)
		}
	}()
	return encode(b)
}

type settledCall struct {
	call  Live
	reply Reply
}

// LiveCalls are the live calls of one function under one set of terms. Its methods may be called
// concurrently.
type LiveCalls struct{ calls *Calls }

// LiveCalls returns the live calls of a function under terms, of which Name is the function's.
func (t *Table) LiveCalls(ctx context.Context, terms core.Terms) (LiveCalls, error) {
	c, err := t.callsOf(ctx, terms, true)
	return LiveCalls{c}, err
}

// Job is the protocol's name for them.
func (l LiveCalls) Job() core.JobID { return l.calls.ID }

// Go adds a call, and returns its index once it is counted in, which takes as long as MaxInFlight calls are under
// way. An error of Go's own means that Settle is not called.
func (l LiveCalls) Go(ctx context.Context, call Live) (index uint64, err error) {
	return l.calls.add(ctx, pending{value: call, live: true})
}

// GoInside is Go for the calls of a task that runs here, which does not wait: back-pressure holds who submits from
// outside, and a task that waits for room could be what makes it.
func (l LiveCalls) GoInside(call Live) (index uint64, err error) {
	l.calls.table.flight.n.Add(1)
	return l.calls.put(pending{value: call, live: true})
}

// Cancel has a call end as cancelled, unless it has its outcome. It does not wait.
func (l LiveCalls) Cancel(index uint64) {
	_ = l.calls.table.driver.Tell(core.CancelTasks{Job: l.calls.ID, Span: core.Span{Lo: index, Hi: index + 1}})
}

// Run implements function.Local.
func (c *Calls) Run(ctx context.Context, t *function.Task) error {
	c.mu.Lock()
	p := c.at(t.Index)
	var v Live
	if p != nil && p.live {
		v = p.value
	}
	c.mu.Unlock()
	if v == nil {
		return errReturned // its outcome is there, from another attempt
	}
	return v.Run(ctx, t)
}

var errReturned = errors.New("the call has returned")

// Local returns what runs pieces of a job of this table as Go values; nil if they need their encodings.
func (t *Table) Local(id core.JobID) function.Local {
	switch r := t.record(id).(type) {
	case *Calls:
		if r.live {
			return r
		}
	case *Range:
		return r
	}
	return nil
}

// A LiveRange is a set of live calls, all known at the start and counted from 0. Its methods are called
// from any goroutine.
type LiveRange interface {
	function.Local
	Encode(b []byte, index uint64) ([]byte, error)
	// Settle is told of each index once, but for those that this process has run with success.
	Settle(index uint64, r Reply)
}

// A Range is a job of live calls. However many they are, the protocol keeps some hundred records.
type Range struct {
	ID core.JobID

	table *Table
	name  string
	of    LiveRange
	n     uint64
	left  atomic.Int64
	once  sync.Once
	done  chan struct{} // closed when every call has its outcome, or the node has ended
	ended atomic.Bool   // the latter
}

// LiveRange submits n live calls as one job under terms.
func (t *Table) LiveRange(ctx context.Context, terms core.Terms, n int, of LiveRange) (*Range, error) {
	if n < 1 || n > MaxTasks {
		return nil, tooMany("calls at once", n, MaxTasks)
	}
	terms.Kind = task.KindFunc
	r := &Range{table: t, name: terms.Name, of: of, n: uint64(n), done: make(chan struct{})}
	r.left.Store(int64(n))
	t.mu.RLock()
	closed := t.closed
	t.mu.RUnlock()
	if closed {
		return nil, ErrEnded
	}
	id, err := t.driver.Submit(ctx, terms, 0)
	if err != nil {
		return nil, ended(err)
	}
	r.ID = id
	t.mu.Lock()
	t.records[id] = r
	t.mu.Unlock()
	t.ranges.Add(int64(n))
	if err := t.driver.Tell(core.Extend{Job: id, N: r.n}); err != nil {
		r.end()
		return nil, ended(err)
	}
	t.stir()
	return r, nil
}

// Done is closed when every call has its outcome, or the node has ended; Ended tells which.
func (r *Range) Done() <-chan struct{} { return r.done }

// Ended tells whether the node ended before the range did.
func (r *Range) Ended() bool { return r.ended.Load() }

// Cancel has every call without an outcome end as cancelled. It does not wait; Settle is told.
func (r *Range) Cancel() { _ = r.table.driver.Tell(core.CancelJob{Job: r.ID}) }

// Run implements function.Local.
func (r *Range) Run(ctx context.Context, t *function.Task) error { return r.of.Run(ctx, t) }

func (r *Range) header() ([]byte, error) { return []byte(r.name), nil }

func (r *Range) body(b []byte, i uint64) ([]byte, error) {
	if i >= r.n {
		return b, fmt.Errorf("job %v has no task %d", r.ID, i)
	}
	return encoded(b, func(b []byte) ([]byte, error) { return r.of.Encode(b, i) })
}

func (r *Range) committed(c core.Commit, outputs []steal.Output) func() {
	if len(outputs) > 0 {
		return func() { // outputs may have to be read from a disk
			r.settle(c, outputs)
			closeAll(outputs)
		}
	}
	r.settle(c, nil)
	return nil
}

func (r *Range) settle(c core.Commit, outputs []steal.Output) {
	reply := Reply{Node: c.Host, Attempt: c.Piece.Attempt, Ran: c.Ran / time.Duration(max(1, c.Piece.Len()))}
	if c.State != task.Done {
		reply.Err = failure(r.name, &c)
	}
	here := c.State == task.Done && c.Host == r.ID.Home
	for i := c.Piece.Lo; i < c.Piece.Hi && i < r.n && !here; i++ {
		one := reply
		if c.Values != nil {
			one.Value = c.Values[i-c.Piece.Lo]
		}
		if len(outputs) > 0 && one.Err == nil && len(one.Value) == 0 {
			one.Value, one.Err = readResult(outputs, i)
		}
		r.of.Settle(i, one)
	}
	n := int64(c.Piece.Len())
	r.table.counts.add(task.KindFunc, c.State, uint64(n))
	r.table.ranges.Add(-n)
	if r.left.Add(-n) == 0 {
		r.close()
	}
}

func (r *Range) told(core.Effect) {}

// close forgets the range.
func (r *Range) close() {
	r.once.Do(func() {
		r.table.mu.Lock()
		delete(r.table.records, r.ID)
		r.table.mu.Unlock()
		_ = r.table.driver.Tell(core.Forget{Job: r.ID})
		close(r.done)
	})
}

func (r *Range) end() {
	if left := r.left.Load(); left > 0 {
		r.ended.Store(true)
		r.table.ranges.Add(-left)
	}
	r.close()
}
