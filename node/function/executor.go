// Package function runs pieces of calls of registered Go functions on a node's engine.
//
// A piece, up to 64 calls, is one task of the engine, so that what the engine costs is
// paid per piece. The state machine hands out no more pieces than there are cores; the
// engine is what makes a call more than a goroutine: it can fork and join on all cores
// and lends its core away while it waits.
//
// The pieces of one home are one job of the engine: those of this node under the default
// tenant, those of others under the tenant "peers", which the machine's owner can weigh.
// Nice acts where it is exact, at each home's own queue, and not here.
//
// A function is not stopped when its node is cut off: what it does ends with its outcome,
// which is delivered late or not at all, and a second copy elsewhere does no harm. Halt
// cancels its context, and what it returns afterwards counts for nothing.
package function

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/filchsched/filch/exec"
	"github.com/filchsched/filch/exec/call"
	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// Tenant is the tenant of other nodes' calls.
const Tenant = "peers"

const (
	// maxValue is how long a result travels with the outcome, in bytes, and maxValues how
	// long those of a piece may be together; what is longer is an output of its own. A frame of
	// outcomes has 64 KiB.
	maxValue  = 4 << 10
	maxValues = 12 << 10
	// maxReason bounds a failure's text in bytes, a panic's stack included.
	maxReason = 2 << 10
	// maxIdle is how many homes without a call keep their job.
	maxIdle = 64
)

// resultOutput is the name of a result that is an output; node/home has it, too.
const resultOutput uint8 = 0

// An Executor is a steal.Executor for tasks of kind task.KindFunc. Make one with New;
// Close it after the driver has ended.
type Executor struct {
	self   core.PeerID
	funcs  *call.Registry
	engine *exec.Engine
	// Own returns the calls that a piece of this process's own is of, if they need no encoding; nil: they do.
	// It is set before the first Start, if at all.
	Own func(core.Piece) Local
	// Owner is told to each task as its Owner.
	Owner any

	mu    sync.Mutex
	homes map[key]*homeJob // guarded by mu
	runs  map[core.Piece]*run
	ended bool
}

var _ steal.Executor = (*Executor)(nil)

// A key names a job of the engine: the needs of a bag's tasks are all the same.
type key struct {
	home  core.PeerID
	cores int
}

type homeJob struct {
	job *exec.Job
	bag *exec.Bag[*run]
	out int // runs that have not ended; guarded by Executor.mu
}

// A run is a piece that was started.
type run struct {
	steal.Run
	end    func(steal.End)
	of     *homeJob
	fn     call.Func
	local  Local // instead of fn and bodies
	name   string
	size   int                // of the values so far; the running goroutine's
	cancel context.CancelFunc // guarded by Executor.mu; nil until it runs
	halted bool               // guarded by Executor.mu
}

// New returns an executor of the registry's functions on the engine, which stays the
// caller's.
func New(self core.PeerID, funcs *call.Registry, engine *exec.Engine) *Executor {
	return &Executor{self: self, funcs: funcs, engine: engine, homes: make(map[key]*homeJob), runs: make(map[core.Piece]*run)}
}

// Wants implements steal.Executor: a call is its arguments, wherever it comes from, but for those of this process
// that are Go values still.
func (x *Executor) Wants(id core.JobID) bool {
	return id.Home != x.self || x.Own == nil || x.Own(core.Piece{Job: id}) == nil
}

// Start implements steal.Executor.
func (x *Executor) Start(r steal.Run, end func(steal.End)) {
	if r.Header == nil && r.Bodies == nil && r.Piece.Job.Home == x.self && x.Own != nil {
		u := &run{Run: r, end: end, name: r.Terms.Name, local: x.Own(r.Piece)}
		if u.local == nil {
			end(refusal(r.Piece, "it has returned already"))
			return
		}
		if err := x.submit(u); err != nil {
			end(refusal(r.Piece, err.Error()))
		}
		return
	}
	if uint64(len(r.Bodies)) != r.Piece.Len() {
		end(refusal(r.Piece, fmt.Sprintf("%d arguments came for %d calls", len(r.Bodies), r.Piece.Len())))
		return
	}
	u := &run{Run: r, end: end, name: string(r.Header)}
	if u.fn = x.funcs.Lookup(u.name); u.fn == nil {
		end(refusal(r.Piece, fmt.Sprintf("%v %q", call.ErrUnknown, clip(u.name, call.MaxName))))
		return
	}
	if err := x.submit(u); err != nil {
		end(refusal(r.Piece, err.Error()))
	}
}

// submit hands a run to the engine.
func (x *Executor) submit(u *run) error {
	x.mu.Lock()
	h, err := x.homeOf(u)
	if err != nil {
		x.mu.Unlock()
		return err
	}
	u.of = h
	h.out++
	x.runs[u.Piece] = u
	x.mu.Unlock()
	// The inbox has room for far more pieces than there are cores, so this does not wait.
	if err := h.bag.Submit(context.Background(), u); err != nil {
		x.forget(u)
		return err
	}
	return nil
}

// homeOf returns the engine's job for a run. x.mu is held.
func (x *Executor) homeOf(u *run) (*homeJob, error) {
	if x.ended {
		return nil, exec.ErrClosed
	}
	k := key{u.Piece.Job.Home, u.Terms.Needs.CoresOrOne()}
	if h := x.homes[k]; h != nil {
		return h, nil
	}
	x.dismissIdle()
	c := exec.JobConfig{Name: "calls of " + string(k.home), Tenant: Tenant}
	if k.home == x.self {
		c.Name, c.Tenant = "calls", ""
	}
	j, err := x.engine.NewJob(c)
	if err != nil {
		return nil, err
	}
	h := &homeJob{job: j, bag: exec.NewBag(j, x.execute)}
	if err := h.bag.SetNeeds(task.Resources{Cores: min(k.cores, x.engine.Capacity().Cores)}); err != nil {
		j.Close()
		return nil, err
	}
	x.homes[k] = h
	return h, nil
}

// dismissIdle closes jobs of homes that have nothing here, if there are many. x.mu is held.
func (x *Executor) dismissIdle() {
	if len(x.homes) < maxIdle {
		return
	}
	for k, h := range x.homes {
		if h.out == 0 {
			h.job.Close()
			delete(x.homes, k)
		}
	}
}

func (x *Executor) forget(u *run) {
	x.mu.Lock()
	defer x.mu.Unlock()
	u.of.out--
	delete(x.runs, u.Piece)
}

// execute is the engine's task: the calls of a piece, one after the other.
func (x *Executor) execute(c *exec.Ctx, u *run) {
	start := time.Now()
	t := &Task{Stack: c, Piece: u.Piece, Name: u.name, From: u.From, Owner: x.Owner}
	ctx, cancel := context.WithCancel(context.WithValue(c.Context(), taskKey{}, t))
	defer cancel()
	x.mu.Lock()
	u.cancel = cancel
	halted := u.halted
	x.mu.Unlock()
	e := steal.End{Finished: core.Finished{Piece: u.Piece, State: task.Done}}
	defer func() { // also where a function ends its goroutine
		if ctx.Err() != nil || halted { // it has no outcome, whatever it returned
			e = steal.End{Finished: core.Finished{Piece: u.Piece, State: task.Cancelled}}
		}
		e.Ran = time.Since(start)
		x.forget(u)
		u.end(e)
	}()
	if !halted {
		if u.local == nil {
			e.Values = make([][]byte, u.Piece.Len())
		}
		u.all(ctx, t, 0, &e)
	}
}

// all calls from argument next on. A function that ends its goroutine has had its own call only: what is deferred goes on
// with the others.
func (u *run) all(ctx context.Context, t *Task, next int, e *steal.End) {
	defer func() {
		if next < int(u.Piece.Len()) && ctx.Err() == nil {
			u.all(ctx, t, next, e)
		}
	}()
	for next < int(u.Piece.Len()) && ctx.Err() == nil {
		u.calls(ctx, t, &next, e)
	}
}

// calls calls from argument next on, until one panics, all are done, or ctx is; next is where to go on.
func (u *run) calls(ctx context.Context, t *Task, next *int, e *steal.End) {
	finished := false
	defer func() {
		if !finished {
			why := recover()
			if why == nil {
				why = exec.ErrGoexit
			}
			e.Exceptions = append(e.Exceptions, u.exception(*next, call.Panicked, fmt.Sprintf("panic: %v", why)+call.StackMark+stack()))
			*next++
		}
	}()
	done := ctx.Done()
	for ; *next < int(u.Piece.Len()); *next++ {
		select {
		case <-done:
			finished = true
			return
		default:
		}
		t.Index = u.Piece.Lo + uint64(*next)
		if u.local != nil {
			if err := u.local.Run(ctx, t); err != nil {
				e.Exceptions = append(e.Exceptions, u.exception(*next, call.KindOf(err), err.Error()))
			}
			continue
		}
		u.one(ctx, *next, e)
	}
	finished = true
}

// one calls the function with an encoded argument.
func (u *run) one(ctx context.Context, next int, e *steal.End) {
	v, err := u.fn(ctx, u.Bodies[next])
	switch {
	case err != nil:
		e.Exceptions = append(e.Exceptions, u.exception(next, call.KindOf(err), err.Error()))
	case len(v) > maxValue || u.size+len(v) > maxValues:
		e.Outputs = append(e.Outputs, steal.Output{Index: u.Piece.Lo + uint64(next), Name: resultOutput, Data: memory(v)})
	default:
		u.size += len(v)
		e.Values[next] = v
	}
}

func (u *run) exception(i int, kind call.Failure, why string) core.Exception {
	return core.Exception{Index: u.Piece.Lo + uint64(i), State: task.Failed, Exit: int32(kind), Reason: clip(why, maxReason)}
}

// stack is where a panic was, from the function on.
func stack() string {
	s := string(debug.Stack())
	if _, after, ok := strings.Cut(s, "panic("); ok {
		s = "panic(" + after
	}
	return s
}

// refusal is the end of a piece that this node cannot run: its failure smells of the peer.
func refusal(p core.Piece, why string) steal.End {
	return steal.End{Finished: core.Finished{Piece: p, State: task.Failed, Smell: true, Reason: clip(why, maxReason)}}
}

// Halt implements steal.Executor.
func (x *Executor) Halt(p core.Piece) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if u := x.runs[p]; u != nil {
		u.halted = true
		if u.cancel != nil {
			u.cancel()
		}
	}
}

// Leash implements steal.Executor: functions run on.
func (x *Executor) Leash(uint64, time.Duration) {}

// Close cancels what runs and takes nothing more. It does not wait: the engine's Close
// does.
func (x *Executor) Close() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.ended = true
	for _, u := range x.runs {
		u.halted = true
		if u.cancel != nil {
			u.cancel()
		}
	}
	for _, h := range x.homes {
		h.job.Close()
	}
}

// memory is a long result.
type memory []byte

// Len implements steal.Blob.
func (m memory) Len() int64 { return int64(len(m)) }

// Reader implements steal.Blob.
func (m memory) Reader() io.Reader { return bytes.NewReader(m) }

// Close implements steal.Blob.
func (m memory) Close() error { return nil }

func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// Jobs are the engine's jobs of all homes that have calls here.
func (x *Executor) Jobs() []*exec.Job {
	x.mu.Lock()
	defer x.mu.Unlock()
	all := make([]*exec.Job, 0, len(x.homes))
	for _, h := range x.homes {
		if h.out > 0 {
			all = append(all, h.job)
		}
	}
	return all
}
