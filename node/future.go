package node

import (
	"context"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/filchsched/filch/exec"
)

// A Future is a result that may not be there yet. Its methods may be called concurrently, and several times.
type Future[R any] struct {
	// state is nil while the call has not ended, ended when it has, and otherwise how somebody waits for that.
	state atomic.Pointer[waiting]
	// Written before state is ended, and not afterwards but under far.mu.
	value R
	err   error
	far   *far[R] // nil: the call has never been in a table

	// Of a child that was spawned on a stack.
	child *attempt
	// Only the owner uses them.
	owner *exec.Ctx
	join  *exec.Child[spawned, struct{}]
}

// far is what a future of a call in the node's table has besides.
type far[R any] struct {
	mu     sync.Mutex
	raw    []byte // the result as it came from another process; decode makes a value of it
	from   string // node that ran it
	decode func([]byte) (R, error)
	cancel func(cause error)
}

// waiting is how a future tells of its end.
type waiting struct {
	ended chan struct{}
	hook  func() // nil: none
}

// ended marks a future that has its result.
var ended = func() *waiting {
	w := &waiting{ended: make(chan struct{})}
	close(w.ended)
	return w
}()

func (f *Future[R]) has() bool { return f.state.Load() == ended }

// settle is the end of the call.
func (f *Future[R]) settle() {
	if w := f.state.Swap(ended); w != nil {
		close(w.ended)
		if w.hook != nil {
			w.hook()
		}
	}
}

// onEnd has hook called when the call has ended, or now. It comes before any use of Done; hook must not block.
func (f *Future[R]) onEnd(hook func()) {
	if !f.state.CompareAndSwap(nil, &waiting{ended: make(chan struct{}), hook: hook}) {
		hook()
	}
}

// failed is a future of a call that did not even begin.
func failed[R any](err error) *Future[R] {
	f := &Future[R]{err: err}
	f.settle()
	return f
}

// Done is closed when the call has ended. Inside a function Wait is better: it lends the core away.
func (f *Future[R]) Done() <-chan struct{} {
	w := f.state.Load()
	if w == nil {
		w = &waiting{ended: make(chan struct{})}
		if !f.state.CompareAndSwap(nil, w) {
			w = f.state.Load()
		}
	}
	return w.ended
}

// Wait returns what the function returned; a failure of the function is a *TaskError. If ctx is done first, Wait
// returns its cause; the call goes on.
//
// Inside a function, on its own goroutine, Wait runs a child that nobody has taken at once, and else lends the core to
// other work meanwhile.
func (f *Future[R]) Wait(ctx context.Context) (R, error) {
	if !f.has() {
		if err := f.await(ctx); err != nil {
			var none R
			return none, err
		}
	}
	if f.far == nil {
		return f.value, f.err
	}
	f.far.mu.Lock()
	defer f.far.mu.Unlock()
	if f.far.raw != nil && f.err == nil {
		f.value, f.err = f.far.decode(f.far.raw)
	}
	f.far.raw = nil
	return f.value, f.err
}

func (f *Future[R]) await(ctx context.Context) error {
	if c := f.owner; c != nil && c.Current() {
		if f.join != nil && f.endsWith(ctx) {
			t := f.join
			f.join = nil
			t.Join(c)
			return nil
		}
		err := f.blocked(ctx, c)
		if t := f.join; err == nil && t != nil {
			f.join = nil
			t.Join(c) // it has ended: this gives its memory back
		}
		return err
	}
	if a := attemptOf(ctx); a != nil && a.here() {
		return f.blocked(ctx, a.stack)
	}
	return f.until(ctx)
}

// endsWith tells whether the child is cancelled when ctx is, so that who waits for the child need not look at ctx.
func (f *Future[R]) endsWith(ctx context.Context) bool {
	if a, ok := ctx.(*attempt); ok {
		return a == f.child.above
	}
	if ctx.Done() == nil {
		return true
	}
	return reflect.TypeOf(ctx).Comparable() && ctx == f.child.parent
}

// blocked waits without the core.
func (f *Future[R]) blocked(ctx context.Context, c *exec.Ctx) (err error) {
	c.Block(func() { err = f.until(ctx) })
	return err
}

func (f *Future[R]) until(ctx context.Context) error {
	select {
	case <-f.Done():
		return nil
	default:
	}
	select {
	case <-f.Done():
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Cancel ends the call, wherever it runs, with its children: unless it has its result, it ends with an error, at once if it
// is not running on this node, and else when the function returns; the function sees its context cancelled
// with the cause (nil: context.Canceled). It does not wait.
func (f *Future[R]) Cancel(cause error) {
	switch {
	case f.has():
	case f.child != nil:
		f.child.cancellable().cancel(cause)
	default:
		f.far.cancel(cause)
	}
}

// node is who ran the call; "" if it stayed where it was called, or did not run.
func (f *Future[R]) node() string {
	if f.far == nil {
		return ""
	}
	return f.far.from
}
