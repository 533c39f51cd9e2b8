package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/filchsched/filch/exec/call"
	"github.com/filchsched/filch/node/function"
	"github.com/filchsched/filch/node/home"
)

// Call calls the function by way of node n, whose cores run it or whose peers, and returns what it returned. Inside of
// a function, on its own goroutine and without options, it runs at once.
func (f Func[A, R]) Call(ctx context.Context, n *Node, a A, o ...CallOption) (R, error) {
	return f.Go(ctx, n, a, o...).Wait(ctx)
}

// Go begins a call by way of node n and returns its Future. An error that keeps the call from beginning is the Future's.
// ctx is the call's: when it is done, the call is cancelled with all its children, wherever they run. From outside of
// a function, Go waits for room while very many calls are under way.
//
// Inside of a function a call is a child of it, and n may be nil: its home is the node where the function runs. Without
// options it costs little more than a function call, waits for its parent, another core, or a peer that asks for work,
// and is not encoded unless it leaves the node. When the function returns, children that it has not waited for are
// cancelled.
func (f Func[A, R]) Go(ctx context.Context, n *Node, a A, o ...CallOption) *Future[R] {
	if f.d == nil {
		return failed[R](errNoFunction)
	}
	above := attemptOf(ctx)
	if above != nil {
		if n == nil {
			n = above.node
		}
		if n == above.node && len(o) == 0 && above.here() {
			return f.d.spawn(ctx, above, a)
		}
	}
	if n == nil {
		return failed[R](errNoNode)
	}
	opt, err := options(o)
	if err != nil {
		return failed[R](err)
	}
	return f.d.submit(ctx, n, above, a, &opt)
}

var errNoNode = errors.New("no node was given to call by way of, and this is not inside of a function that one runs")

var errNoFunction = errors.New("the Func is the zero one: make it with Define")

// An outside call is in the table of its node: called from outside of a function, or with options, or taken out of
// a deque for a peer.
type outside[A, R any] struct {
	Future[R]
	far      far[R]
	d        *definition[A, R]
	node     *Node
	arg      A
	encoded  []byte // before the first run, so that what a run changes does not reach the next; nil: when needed
	deadline time.Time
	depth    int32
	id       string          // as a child; "": none
	ctx      context.Context // of who called
	stop     func()          // ctx is not to be watched any more; guarded by far.mu
	cause    error           // of Future.Cancel; guarded by far.mu
	ran      bool            // a run on this node has left the result; guarded by far.mu
	done     func()          // called behind the future; nil: nothing
}

func newOutside[A, R any](d *definition[A, R], n *Node, a A) *outside[A, R] {
	u := &outside[A, R]{d: d, node: n, arg: a}
	u.Future.far = &u.far
	u.far.decode = d.decoded
	return u
}

func (d *definition[A, R]) submit(ctx context.Context, n *Node, above *attempt, a A, o *callOptions) *Future[R] {
	if err := ctx.Err(); err != nil {
		return failed[R](context.Cause(ctx))
	}
	u := newOutside(d, n, a)
	if above != nil {
		u.depth, u.id = above.depth+1, above.id()
		if above.here() {
			above.born++
			u.id = fmt.Sprint(u.id, ".", above.born)
		}
		if u.depth > MaxNesting {
			return failed[R](home.Failed(d.wire, "", 0, call.TooDeep, fmt.Sprintf("%v: more than %d", home.ErrTooDeep, MaxNesting)))
		}
	}
	if o.timeout > 0 {
		ctx, u.stop = context.WithTimeoutCause(ctx, o.timeout, ErrTimedOut)
	}
	u.ctx = ctx
	u.deadline, _ = ctx.Deadline()
	calls, err := d.callsOf(ctx, n, o)
	if err == nil && o.Retries > 0 {
		if u.encoded, err = d.args.Append([]byte{}, a); err != nil {
			err = fmt.Errorf("%s: the argument cannot be encoded: %w", d.wire, err)
		}
	}
	if err != nil {
		if u.stop != nil {
			u.stop()
		}
		return failed[R](n.draining(err))
	}
	return u.begin(calls, above != nil)
}

// begin puts the call into the table, and has it cancelled with its context.
func (u *outside[A, R]) begin(calls home.LiveCalls, inside bool) *Future[R] {
	var index atomic.Uint64 // and 1, once it is known
	u.far.cancel = func(cause error) {
		u.far.mu.Lock()
		u.cause = cmp.Or(cause, context.Canceled)
		u.far.mu.Unlock()
		if i := index.Load(); i > 0 {
			calls.Cancel(i - 1)
		}
	}
	var i uint64
	var err error
	if inside {
		i, err = calls.GoInside(u)
	} else {
		i, err = calls.Go(u.ctx, u)
	}
	if err != nil {
		if u.stop != nil {
			u.stop()
		}
		return failed[R](u.node.draining(err))
	}
	index.Store(i + 1)
	if u.ctx.Done() != nil {
		u.stopWith(context.AfterFunc(u.ctx, func() { calls.Cancel(i) }))
	}
	return &u.Future
}

// stopWith has the context not watched any more when the call has ended.
func (u *outside[A, R]) stopWith(watch func() bool) {
	u.far.mu.Lock()
	defer u.far.mu.Unlock()
	if u.has() {
		watch()
		return
	}
	timer := u.stop
	u.stop = func() {
		watch()
		if timer != nil {
			timer()
		}
	}
}

// callsOf are the calls of the function under options, remembered for none.
func (d *definition[A, R]) callsOf(ctx context.Context, n *Node, o *callOptions) (home.LiveCalls, error) {
	plain := o.plain()
	if plain {
		if c, ok := n.plainCalls.Load(d.wire); ok {
			return c.(home.LiveCalls), nil
		}
	}
	t, err := o.terms(n, d.wire)
	if err != nil {
		return home.LiveCalls{}, err
	}
	c, err := n.work.table.LiveCalls(ctx, t)
	if err == nil && plain {
		n.plainCalls.Store(d.wire, c)
	}
	return c, err
}

// plain tells whether nothing was asked for of where or how a call runs.
func (o *callOptions) plain() bool { return len(o.zones) == 0 && o.Common.plain() }

func (c *Common) plain() bool {
	w := &c.Where
	return c.Title == "" && c.Nice == 0 && c.Retries == 0 && c.Cores == 0 && c.Memory == 0 && !c.Idempotent &&
		len(w.Require)+len(w.On)+len(w.Avoid) == 0 && !w.Local && w.MaxRunning == 0
}

func (d *definition[A, R]) decoded(b []byte) (R, error) {
	v, err := d.result.Decode(b)
	if err != nil {
		err = home.Failed(d.wire, "", 0, call.BadResult, fmt.Sprintf("the result cannot be decoded: %v", err))
	}
	return v, err
}

// Encode implements home.Live.
func (u *outside[A, R]) Encode(b []byte) ([]byte, error) {
	e := envelope{depth: u.depth, parent: u.id}
	if !u.deadline.IsZero() {
		e.left = max(1, time.Until(u.deadline))
	}
	b = e.append(b)
	if u.encoded != nil {
		return append(b, u.encoded...), nil
	}
	return u.d.args.Append(b, u.arg)
}

// Run implements function.Local.
func (u *outside[A, R]) Run(ctx context.Context, t *function.Task) error {
	a := u.arg
	if u.encoded != nil {
		var err error
		if a, err = u.d.args.Decode(u.encoded); err != nil {
			return call.Errorf(call.BadArgument, "%w", err)
		}
	}
	if !u.deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, u.deadline, ErrTimedOut)
		defer cancel()
	}
	at := newAttempt(ctx, u.node, t, u.id, u.depth)
	defer at.end()
	v, err := u.d.call(at, a)
	if err == nil {
		u.far.mu.Lock()
		if !u.has() && !u.ran {
			u.value, u.ran = v, true
		}
		u.far.mu.Unlock()
	}
	return err
}

// Settle implements home.Live.
func (u *outside[A, R]) Settle(r home.Reply) {
	f := &u.Future
	u.far.mu.Lock()
	switch {
	case r.Err != nil:
		f.value, f.err = *new(R), u.node.draining(u.why(r.Err))
	case !u.ran:
		if u.far.raw = r.Value; u.far.raw == nil {
			u.far.raw = []byte{}
		}
	}
	u.far.from = string(r.Node)
	stop := u.stop
	f.settle()
	u.far.mu.Unlock()
	if stop != nil {
		stop()
	}
	if u.done != nil {
		u.done()
	}
}

// why is what has cancelled the call, in place of that it was. far.mu is held.
func (u *outside[A, R]) why(err error) error {
	switch {
	case !errors.Is(err, ErrCancelled):
		return err
	case u.cause != nil:
		return u.cause
	case u.ctx.Err() != nil:
		return context.Cause(u.ctx)
	}
	return err
}
