package exec

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/filchsched/filch/exec/deque"
	"github.com/filchsched/filch/exec/gid"
	"github.com/filchsched/filch/exec/park"
)

// maxSpareStacks bounds the goroutines kept for reuse; more than a worker
// crew blocks at once is memory for nothing.
const maxSpareStacks = 64

// A Ctx is what a task runs on: a goroutine with the deque of the tasks that
// it has spawned. It is handed to every task, is valid until the task returns,
// and must not be used by any other goroutine; only Current may be asked by any.
//
// Inside, a Ctx is a stack. It holds a worker while it runs and none while it
// is blocked; its deque stays open to thieves all the time, but only it takes
// from the owner's end.
type Ctx struct {
	// The spawn and join path, owned by the stack.
	fuel   int32 // spawns left until the clock is read
	depth  int32 // of the running task below the submitted one
	mask   uint64
	bit    *park.Word // of this stack's bit in the presence of job
	slabs  []slab     // free frames by function
	hungry *atomic.Int32
	dq     deque.Deque[record]

	e     *Engine
	w     *worker       // held worker; nil while blocked. Set by whoever resumes the stack
	wake  chan struct{} // capacity 1
	place int           // bit number in presence; 0 if there was none left

	burn   int32        // what fuel was last filled with
	clock  int64        // the last reading of the engine's clock
	uncut  int64        // the clock when the turn could last have been cut: at a refuel or a resumption
	inUnit bool         // a unit of job is under way on this stack
	wide   *reservation // whose task runs on this stack, nil for other tasks

	// job is the job that the stack last ran a task of, and so the one its
	// deque belongs to. Owned; thieves check it inside a visit.
	job        atomic.Pointer[Job]
	visitors   atomic.Int32
	lastWorker atomic.Int32 // the slot it ran on last
	// goroutine is that of the stack (package gid), 0 while it has none. It is
	// written by that goroutine and read by whoever asks whether it is it.
	goroutine atomic.Uintptr
	serial    uint64 // of the stack in its engine: places are used again
	span      span

	ctx    context.Context // cached by Context
	ctxJob *Job
}

// stacks is the set of stacks that hold no worker and can be given one, and
// the registry by place. Guarded by ctxMu, a leaf lock.
type stacks struct {
	ctxMu   sync.Mutex
	spare   []*Ctx
	free    []int  // places that are free again
	places  int    // places ever used
	serial  uint64 // of the last stack made
	leaving bool   // the engine closes: spare stacks end
	byPlace [park.Places]atomic.Pointer[Ctx]
	wg      sync.WaitGroup
}

// give hands w to a stack that holds none.
func (e *Engine) give(w *worker) {
	e.ctxMu.Lock()
	if n := len(e.spare); n > 0 {
		c := e.spare[n-1]
		e.spare[n-1] = nil
		e.spare = e.spare[:n-1]
		e.ctxMu.Unlock()
		c.resume(w)
		return
	}
	c := e.newStack()
	e.ctxMu.Unlock()
	c.w = w
	go c.serve()
}

// newStack makes a stack. The caller holds ctxMu.
func (e *Engine) newStack() *Ctx {
	c := &Ctx{e: e, wake: make(chan struct{}, 1), hungry: &e.hungry, fuel: firstFuel, burn: firstFuel}
	e.stacks.serial++
	c.serial = e.stacks.serial
	if n := len(e.free); n > 0 {
		c.place = e.free[n-1]
		e.free = e.free[:n-1]
	} else if e.places+1 < park.Places {
		e.places++
		c.place = e.places // 0 is the inbox
	}
	if c.place > 0 {
		e.byPlace[c.place].Store(c)
	}
	e.wg.Add(1)
	return c
}

// retireStack forgets c, whose goroutine ends. Its deque is empty.
func (e *Engine) retireStack(c *Ctx) {
	e.ctxMu.Lock()
	defer e.ctxMu.Unlock()
	if c.place > 0 {
		e.byPlace[c.place].Store(nil)
		e.free = append(e.free, c.place)
	}
}

// lend takes the worker from c, which is about to be suspended.
func (c *Ctx) lend() *worker {
	w := c.w
	c.w = nil
	if c.wide != nil {
		c.e.suspendWide(c.wide)
	}
	return w
}

// resume hands w to c, which waits in suspend or as a spare.
func (c *Ctx) resume(w *worker) {
	if c.w != nil {
		panic("exec: a stack that holds a worker was given another one")
	}
	c.w = w
	c.wake <- struct{}{}
}

// serve is the goroutine of a stack.
func (c *Ctx) serve() {
	c.goroutine.Store(gid.Current())
	defer c.exited()
	c.endCut()
	for c.w != nil {
		w := c.w
		if w.job == nil && !c.e.nextTurn(w, true) {
			c.w = nil
		} else {
			c.runTurn()
		}
		if c.w == nil && !c.waitSpare() {
			return
		}
	}
}

// waitSpare offers c for reuse and waits for a worker. It returns false when
// the goroutine should end instead.
func (c *Ctx) waitSpare() bool {
	e := c.e
	e.ctxMu.Lock()
	if e.leaving || len(e.spare) >= maxSpareStacks {
		e.ctxMu.Unlock()
		return false
	}
	e.spare = append(e.spare, c)
	e.ctxMu.Unlock()
	<-c.wake
	return c.w != nil
}

// dismissSpare ends the stacks that wait for reuse, now and later.
func (e *Engine) dismissSpare() {
	e.ctxMu.Lock()
	defer e.ctxMu.Unlock()
	e.leaving = true
	for _, c := range e.spare {
		c.wake <- struct{}{}
	}
	e.spare = nil
}

// attach makes j the job of c. The deque is empty; thieves that still look
// for work of the old job must be gone before it may hold work of another.
func (c *Ctx) attach(j *Job) {
	old := c.job.Load()
	if old == j {
		return
	}
	c.job.Store(j)
	for c.visitors.Load() > 0 {
		runtime.Gosched() // a visit is a few instructions; its goroutine may have been preempted
	}
	if old != nil && c.place > 0 {
		old.present.Clear(c.place)
	}
	if c.place > 0 {
		c.bit, c.mask = j.present.Word(c.place)
	}
}
