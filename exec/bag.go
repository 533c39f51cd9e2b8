package exec

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"unsafe"

	"github.com/filchsched/filch/exec/task"
)

// chunkLen is the number of arguments in a chunk: enough that its lock and its
// reference count vanish per task, and small enough to be reused while in
// cache.
const chunkLen = 512

// A Bag is a flat set of tasks of one function, each with an argument of its
// own. Tasks start in the order of submission and end in any order. All
// methods are safe for concurrent use.
//
// Arguments are kept in typed chunks that are reused: submitting allocates
// nothing in the long run.
type Bag[A any] struct {
	j     *Job
	fn    func(*Ctx, A)
	needs task.Resources
	// dropped, if not nil, is told the argument of each task that a cancel
	// has dropped.
	dropped func(A)

	// Guarded by j.in.mu.
	open *argChunk[A] // the chunk that Submit fills
	n    int64        // arguments in it
	free *argChunk[A]
}

// An argChunk holds the arguments of separately submitted tasks.
type argChunk[A any] struct {
	chunk // first: a *chunk of this kind is a *argChunk[A]
	bag   *Bag[A]
	next  *argChunk[A]
	left  atomic.Int64 // arguments not submitted yet, or of tasks not ended
	args  [chunkLen]A
}

// A sliceChunk is the caller's own slice.
type sliceChunk[A any] struct {
	chunk
	bag  *Bag[A]
	args []A
}

// A rangeChunk is a run of integers; task i has the argument i.
type rangeChunk struct {
	chunk
	bag *Bag[int]
}

// NewBag makes a bag of fn in j. fn may spawn; its Ctx is valid until it
// returns. A panic in fn fails its task alone and is reported by Job.Wait.
func NewBag[A any](j *Job, fn func(*Ctx, A)) *Bag[A] {
	return &Bag[A]{j: j, fn: fn}
}

// A NoFitError says that no state of the engine could ever run a task.
type NoFitError struct {
	Needs    task.Resources
	Capacity task.Resources
}

func (e *NoFitError) Error() string {
	return fmt.Sprintf("exec: a task needs %v, but there are only %v", e.Needs, e.Capacity)
}

// SetNeeds declares what each task of the bag holds while it runs. It must be
// called before the first Submit. It returns a *NoFitError if the engine is
// too small for even one.
func (b *Bag[A]) SetNeeds(r task.Resources) error {
	if r.Cores < 0 || r.Memory < 0 {
		return fmt.Errorf("exec: needs must not be negative: %d cores, %d bytes", r.Cores, r.Memory)
	}
	limit := b.j.e.Capacity()
	if r.CoresOrOne() > limit.Cores || limit.Memory > 0 && r.Memory > limit.Memory {
		return &NoFitError{Needs: r, Capacity: limit}
	}
	if r.Cores <= 1 && r.Memory == 0 {
		r = task.Resources{}
	}
	b.needs = r
	return nil
}

// Submit adds a task. It blocks while the job's inbox is full, until ctx ends.
// Called by a task of the same job with a context from Ctx.Context it does not
// block but runs the task at once, or queues it all the same if it has needs.
// It returns ErrJobClosed after Close, except to the job's tasks, and the cause
// after Cancel. Tasks that run one inside the other nest no deeper than
// MaxDepth; then it returns ErrTooDeep.
func (b *Bag[A]) Submit(ctx context.Context, a A) error {
	in := &b.j.in
	in.mu.Lock()
	if in.queued >= in.limit || in.closed || in.refuse {
		in.mu.Unlock()
		c := insideOf(ctx, b.j)
		if c != nil && b.needs == (task.Resources{}) && !b.j.cancelled() {
			return b.runInside(c, a)
		}
		if err := b.j.room(ctx); err != nil {
			return err
		}
	}
	h := b.open
	if h == nil {
		h = b.newChunk()
	}
	i := b.n
	h.args[i] = a
	if b.n++; b.n == chunkLen {
		b.open = nil
	}
	if p := in.pieces.newest(); p != nil && p.chunk == &h.chunk && p.hi == i {
		p.hi++
	} else {
		in.pieces.push(piece{&h.chunk, i, i + 1})
	}
	in.queued++
	announce := b.j.arrived()
	in.mu.Unlock()
	if announce {
		b.j.e.announce(b.j)
	}
	return nil
}

// runInside runs a task at once inside another one, for which a queue without
// bounds would be the alternative. It is a task all the same: counted, and with
// panics of its own.
func (b *Bag[A]) runInside(c *Ctx, a A) error {
	depth := c.depth
	if depth >= MaxDepth {
		return ErrTooDeep
	}
	finished := false
	defer func() {
		c.depth = depth
		b.j.ran.Add(1)
		if !finished {
			b.j.failures.add(caught(recover()))
		}
	}()
	c.depth = depth + 1
	b.fn(c, a)
	finished = true
	return nil
}

// SubmitSlice adds a task for each element in one call. The slice belongs to
// the bag until the tasks have ended. It blocks while the inbox is full, except
// for tasks of the same job, then goes in whole.
func (b *Bag[A]) SubmitSlice(ctx context.Context, args []A) error {
	h := &sliceChunk[A]{bag: b, args: args}
	h.run, h.ended, h.dropped, h.needs = runSliceArg[A], keepChunk, dropSliceArgs[A], b.needs
	return b.j.submitPiece(ctx, piece{&h.chunk, 0, int64(len(args))})
}

// SubmitRange adds a task for each integer from lo up to, not including, hi.
// However many there are, they cost one record. It blocks as SubmitSlice does.
func SubmitRange(ctx context.Context, b *Bag[int], lo, hi int) error {
	h := &rangeChunk{bag: b}
	h.run, h.ended, h.dropped, h.needs = runRangeArg, keepChunk, dropRangeArgs, b.needs
	return b.j.submitPiece(ctx, piece{&h.chunk, int64(lo), int64(max(lo, hi))})
}

// errTooMany refuses what could not even be counted.
var errTooMany = errors.New("exec: a job cannot hold more than 2^63-1 tasks; submit smaller ranges")

func (j *Job) submitPiece(ctx context.Context, p piece) error {
	if err := j.room(ctx); err != nil {
		return err
	}
	if p.len() == 0 {
		j.in.mu.Unlock()
		return nil
	}
	if p.len() < 0 || j.in.queued > math.MaxInt64-p.len() {
		j.in.mu.Unlock()
		return errTooMany
	}
	j.in.pieces.push(p)
	j.in.queued += p.len()
	announce := j.arrived()
	j.in.mu.Unlock()
	if announce {
		j.e.announce(j)
	}
	return nil
}

// newChunk opens a chunk. The caller holds j.in.mu.
func (b *Bag[A]) newChunk() *argChunk[A] {
	h := b.free
	if h == nil {
		h = &argChunk[A]{bag: b}
		h.run, h.ended, h.dropped, h.needs = runArg[A], endArgs[A], dropArgs[A], b.needs
	} else {
		b.free = h.next
		h.next = nil
	}
	h.left.Store(chunkLen)
	b.open, b.n = h, 0
	return h
}

func runArg[A any](c *Ctx, h *chunk, i int64) {
	t := (*argChunk[A])(unsafe.Pointer(h))
	a := t.args[i]
	var none A
	t.args[i] = none // what it refers to is the task's now
	t.bag.fn(c, a)
}

// endArgs puts a chunk back when all its tasks have come and gone.
func endArgs[A any](h *chunk, n int64) {
	t := (*argChunk[A])(unsafe.Pointer(h))
	if t.left.Add(-n) > 0 {
		return
	}
	b := t.bag
	b.j.in.mu.Lock()
	t.next = b.free
	b.free = t
	b.j.in.mu.Unlock()
}

func runSliceArg[A any](c *Ctx, h *chunk, i int64) {
	t := (*sliceChunk[A])(unsafe.Pointer(h))
	t.bag.fn(c, t.args[i])
}

func runRangeArg(c *Ctx, h *chunk, i int64) {
	(*rangeChunk)(unsafe.Pointer(h)).bag.fn(c, int(i))
}

func keepChunk(*chunk, int64) {}

// drop tells dropped, which may be the user's, and keeps a panic of it from
// whoever cancels and from the tasks that are still to be dropped.
func (b *Bag[A]) drop(a A) {
	if b.dropped == nil {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			b.j.failures.add(caught(v))
		}
	}()
	b.dropped(a)
}

func dropArgs[A any](h *chunk, p piece) {
	t := (*argChunk[A])(unsafe.Pointer(h))
	var none A
	for i := p.lo; i < p.hi; i++ {
		a := t.args[i]
		t.args[i] = none
		t.bag.drop(a)
	}
}

func dropSliceArgs[A any](h *chunk, p piece) {
	if t := (*sliceChunk[A])(unsafe.Pointer(h)); t.bag.dropped != nil {
		for _, a := range t.args[p.lo:p.hi] {
			t.bag.drop(a)
		}
	}
}

func dropRangeArgs(h *chunk, p piece) {
	if b := (*rangeChunk)(unsafe.Pointer(h)).bag; b.dropped != nil {
		for i := p.lo; i < p.hi; i++ {
			b.drop(int(i))
		}
	}
}
