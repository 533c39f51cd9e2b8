package exec

import (
	"context"
	"errors"
	"sync/atomic"
	"unsafe"
)

// MaxDepth bounds how deep tasks may nest: a spawn beyond it panics with
// ErrTooDeep. A child that is not stolen runs on its parent's goroutine stack, which
// Go ends the program for at 1 GB; this depth leaves 4 KB for each level.
const MaxDepth = 1 << 18

// ErrTooDeep is what a spawn panics with beyond MaxDepth.
var ErrTooDeep = errors.New("exec: tasks are nested too deeply; does a recursion not end?")

// errBadJoin is what a join panics with that would otherwise corrupt a deque.
var errBadJoin = errors.New("exec: a child was joined twice, or by another task than the one that spawned it")

// errLent is what a spawn or join inside Ctx.Block panics with, if it needs the
// worker.
var errLent = errors.New("exec: a task spawned or joined inside Block, where it has no worker")

// States of a record. A child that is popped and run by the stack that spawned
// it needs none: it stays pending until its frame is reused.
const (
	pending uint32 = iota
	awaited        // pending, and the owner is suspended until it is done
	done
)

// A record is the head of a spawned task, what the deque and thieves see of
// it. The full frame, a Child, follows in memory.
type record struct {
	run   func(c *Ctx, r *record) // set once, knows the frame's type
	owner *Ctx                    // the stack that spawned it, and alone joins it
	next  *record                 // free list of the owner
	fail  *PanicError             // written by the runner before state becomes done
	state atomic.Uint32
	depth int32 // 0 while the frame is free
}

// A Fn is a function that tasks can spawn. Make one with Define; it is
// immutable and safe for concurrent use.
type Fn[A, R any] struct {
	id   int
	body func(*Ctx, A) R
}

// fnCount numbers the functions; the number finds a stack's free frames.
var fnCount atomic.Int32

// Define makes fn spawnable. It is meant for package variables: each call
// takes a number that is never given back.
func Define[A, R any](fn func(*Ctx, A) R) *Fn[A, R] {
	return &Fn[A, R]{id: int(fnCount.Add(1)) - 1, body: fn}
}

// A Child is a spawned task. Only the task that spawned it may join it, and
// only once; its memory is reused afterwards.
type Child[A, R any] struct {
	record // first: a *record of this kind is a *Child[A, R]
	fn     *Fn[A, R]
	arg    A
	res    R
}

// slab is a stack's free frames of one function.
type slab struct{ free *record }

// framesPerSlab is how many frames are allocated at once.
const framesPerSlab = 32

// Spawn makes a child of the running task that any worker may run from now
// on. It allocates nothing in the long run, reads no clock, and takes one
// locked instruction; so does Join. When the stack's deque is full the child
// runs at once. It panics with ErrTooDeep beyond MaxDepth.
//
// Every child should be joined, newest first for the least cost. A child that
// is not runs all the same before its job is over.
func (f *Fn[A, R]) Spawn(c *Ctx, a A) *Child[A, R] {
	if c.fuel--; c.fuel < 0 {
		c.refuel()
	}
	var t *Child[A, R]
	if f.id < len(c.slabs) && c.slabs[f.id].free != nil {
		s := &c.slabs[f.id]
		t = (*Child[A, R])(unsafe.Pointer(s.free))
		s.free = t.next
	} else {
		t = f.newFrames(c)
	}
	t.arg = a
	t.depth = c.depth + 1
	if c.bit == nil || t.depth > MaxDepth || !c.dq.Push(&t.record) {
		c.spawnInline(&t.record)
		return t
	}
	if c.bit.Load()&c.mask == 0 {
		c.mark()
	}
	return t
}

// Join waits for the child and returns its result. If nobody has stolen it, it
// runs here and now; else the stack is suspended, and its worker does other
// work of the job. A panic of the child comes out of Join as a *PanicError if the
// child ran elsewhere, and as it was if it ran here.
func (t *Child[A, R]) Join(c *Ctx) R {
	if t.owner != c || t.depth == 0 {
		panic(errBadJoin)
	}
	if w := c.w; w == nil || w.overdue.Load() {
		c.refuel() // the turn is over
	}
	if t.state.Load() == pending {
		if r := c.dq.Pop(); r == &t.record {
			// Not stolen, the usual case: a call with the argument.
			depth := t.depth
			t.depth = 0 // joined, even if it panics
			c.depth = depth
			res := t.fn.body(c, t.arg)
			c.depth = depth - 1
			t.recycle(c)
			return res
		} else {
			c.joinOther(&t.record, r)
		}
	}
	res := t.res
	if t.fail != nil {
		panic(t.fail)
	}
	t.state.Store(pending)
	t.recycle(c)
	return res
}

func (t *Child[A, R]) recycle(c *Ctx) {
	var a A
	var r R
	t.arg, t.res = a, r
	t.depth = 0
	s := &c.slabs[t.fn.id]
	t.next = s.free
	s.free = &t.record
}

// newFrames makes frames for f and returns one of them.
func (f *Fn[A, R]) newFrames(c *Ctx) *Child[A, R] {
	for len(c.slabs) <= f.id {
		c.slabs = append(c.slabs, slab{})
	}
	block := make([]Child[A, R], framesPerSlab)
	s := &c.slabs[f.id]
	for i := range block {
		t := &block[i]
		t.fn, t.owner, t.run = f, c, runFrame[A, R]
		if i > 0 {
			t.next = s.free
			s.free = &t.record
		}
	}
	return &block[0]
}

func runFrame[A, R any](c *Ctx, r *record) {
	t := (*Child[A, R])(unsafe.Pointer(r))
	t.res = t.fn.body(c, t.arg)
}

// spawnInline runs a child at once that cannot be queued.
func (c *Ctx) spawnInline(r *record) {
	if r.depth > MaxDepth {
		panic(ErrTooDeep)
	}
	depth := c.depth
	c.runRecord(r)
	c.depth = depth
	r.state.Store(done)
}

// mark says that this stack's deque may hold something.
func (c *Ctx) mark() {
	j := c.job.Load()
	if j.present.Mark(c.place) {
		c.e.announce(j)
	}
}

// joinOther waits for t, which was not the newest child: popped is what was,
// or nil if the deque is empty. All that is popped here was spawned by tasks
// on this stack, so a joining stack runs only its own descendants.
func (c *Ctx) joinOther(t, popped *record) {
	depth := t.depth - 1
	for popped != nil && popped != t {
		c.runRecord(popped)
		c.finish(popped)
		popped = nil
		if t.state.Load() == pending {
			popped = c.dq.Pop()
		}
	}
	if popped == t {
		c.runRecord(t)
		t.state.Store(done)
	} else if t.state.Load() != done {
		c.await(t)
	}
	c.depth = depth
}

// runRecord runs r and keeps its panic for whoever joins it.
func (c *Ctx) runRecord(r *record) {
	c.depth = r.depth
	finished := false
	defer func() {
		if !finished {
			r.fail = caught(recover())
		}
	}()
	r.run(c, r)
	finished = true
}

// finish marks r done and makes its owner ready if it waits for it.
func (c *Ctx) finish(r *record) {
	owner := r.owner // r may be reused as soon as it is done
	if r.state.Swap(done) == awaited {
		c.ready(owner)
	}
}

// await suspends the stack until r, which somebody else runs, is done.
func (c *Ctx) await(r *record) {
	if c.w == nil {
		panic(errLent)
	}
	w := c.lend() // before whoever finishes r may resume c
	if !r.state.CompareAndSwap(pending, awaited) {
		c.w = w
		c.resumed()
		return
	}
	c.e.give(w)
	<-c.wake
	c.resumed()
}

// Call runs f as a task of j and waits for its result. It is for callers
// outside of tasks; a task spawns and joins. It returns a *PanicError if f
// panicked, and why it did not run if it did not. When ctx ends, Call returns at
// once; the task, once started, runs on.
func (f *Fn[A, R]) Call(ctx context.Context, j *Job, a A) (R, error) {
	t := &callChunk[A, R]{fn: f, arg: a, done: make(chan struct{})}
	t.run, t.ended = runCall[A, R], endCall[A, R]
	var none R
	if err := j.submitPiece(ctx, piece{&t.chunk, 0, 1}); err != nil {
		return none, err
	}
	select {
	case <-t.done:
	case <-ctx.Done():
		return none, context.Cause(ctx)
	}
	switch {
	case t.ran:
		return t.res, nil
	case t.fail != nil:
		return none, t.fail
	}
	return none, context.Cause(j.ctx) // dropped by a cancel
}

// A callChunk is the one task of a Call.
type callChunk[A, R any] struct {
	chunk
	fn   *Fn[A, R]
	arg  A
	res  R
	ran  bool
	fail *PanicError
	done chan struct{}
}

func runCall[A, R any](c *Ctx, h *chunk, _ int64) {
	t := (*callChunk[A, R])(unsafe.Pointer(h))
	defer func() {
		if !t.ran {
			t.fail = caught(recover())
		}
	}()
	t.res = t.fn.body(c, t.arg)
	t.ran = true
}

func endCall[A, R any](h *chunk, _ int64) {
	close((*callChunk[A, R])(unsafe.Pointer(h)).done)
}
