package node

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/filchsched/filch/exec"
	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/node/function"
)

// An attempt is one run of a typed function, and the context that the function gets. A child that stays on its stack
// costs no context beside it: Done makes one when it is asked, and Cancel.
type attempt struct {
	parent context.Context // what it is cancelled by, and what it has its values from
	tree   *callTree
	node   *Node
	stack  *exec.Ctx      // that it runs on
	of     *function.Task // of one that the engine runs, as it was at the start; nil for a child that stayed
	above  *attempt       // whose child it is, on this node
	root   string         // whose child it is, elsewhere
	depth  int32          // of tasks above it
	number uint32         // among the children of above
	born   uint32         // children so far; only the function's own goroutine counts
	over   atomic.Bool
	own    atomic.Pointer[ownContext] // nil until somebody asks
	child  bool                       // Done is own's: ctx does not end with the function
}

type ownContext struct {
	context.Context
	cancel context.CancelCauseFunc
}

// A callTree is attempts one inside of the other, with nothing between their contexts, so that none has to ask all
// those above it whether it is cancelled. While none has a context of its own, what holds for the first holds for all.
type callTree struct {
	base context.Context // of the first
	top  *attempt        // the one that the engine runs, to which trees of children lead back
	owns atomic.Int32    // attempts that have a context of their own
}

// A running call is one that the engine runs: the first attempt of a tree, in one piece of memory.
type running struct {
	attempt
	first callTree
	task  function.Task
}

// newAttempt is the attempt of a call that the engine runs. id and depth are those of a child of another node's task.
func newAttempt(ctx context.Context, n *Node, t *function.Task, id string, depth int32) *attempt {
	r := &running{task: *t}
	r.first.base, r.first.top = ctx, &r.attempt
	r.parent, r.tree, r.node, r.stack, r.of, r.root, r.depth = ctx, &r.first, n, t.Stack, &r.task, id, depth
	r.child = t.Piece.Len() > 1 // ctx goes on with the next call
	return &r.attempt
}

// nextAttempt is newAttempt for calls of one piece, one after the other. The memory of the call before is used again if nothing
// can refer to it that is still of use: no child, and no context made from it.
func nextAttempt(ctx context.Context, n *Node, t *function.Task) *attempt {
	if at, ok := t.Kept.(*attempt); ok && at.parent == ctx && at.born == 0 && at.own.Load() == nil {
		at.of.Index = t.Index
		at.over.Store(false)
		return at
	}
	at := newAttempt(ctx, n, t, "", 0)
	t.Kept = at
	return at
}

// grow puts a child into the tree of the attempt above it, or begins another one where a context lies between.
func (a *attempt) grow() {
	if a.parent == context.Context(a.above) {
		a.tree = a.above.tree
		return
	}
	a.tree = &callTree{base: a.parent, top: a.above.tree.top}
}

type attemptKey struct{}

// attemptOf returns the attempt whose function ctx was given to, or nil.
func attemptOf(ctx context.Context) *attempt {
	if a, ok := ctx.(*attempt); ok {
		return a
	}
	a, _ := ctx.Value(attemptKey{}).(*attempt)
	return a
}

// Deadline implements context.Context.
func (a *attempt) Deadline() (time.Time, bool) { return a.tree.base.Deadline() }

// Done implements context.Context.
func (a *attempt) Done() <-chan struct{} {
	if a.child {
		return a.cancellable().Done()
	}
	return a.parent.Done()
}

// Err implements context.Context.
func (a *attempt) Err() error {
	if err := a.told(); err != nil {
		return err
	}
	if a.left() {
		return context.Canceled
	}
	return nil
}

// told is Err, but for whether functions above it have returned, at a cost that depth does not raise while none has a context.
func (a *attempt) told() error {
	switch own := a.own.Load(); {
	case own != nil:
		return own.Err()
	case a.tree.owns.Load() == 0:
		return a.tree.base.Err()
	case a.above != nil && a.above.tree == a.tree:
		return a.above.told()
	}
	return a.parent.Err()
}

// left tells whether a function above it in its tree has returned and not waited. Beyond the tree the base tells.
func (a *attempt) left() bool {
	for p := a.above; p != nil && p.tree == a.tree; p = p.above {
		if p.over.Load() {
			return true
		}
	}
	return false
}

// Value implements context.Context.
func (a *attempt) Value(key any) any {
	if _, ok := key.(attemptKey); ok {
		return a
	}
	if own := a.own.Load(); own != nil {
		return own.Value(key)
	}
	return a.parent.Value(key)
}

// String is for those who print contexts.
func (a *attempt) String() string { return "filch task " + a.id() }

// cancellable is the attempt's own context.
func (a *attempt) cancellable() *ownContext {
	if own := a.own.Load(); own != nil {
		return own
	}
	own := new(ownContext)
	own.Context, own.cancel = context.WithCancelCause(a.parent)
	a.tree.owns.Add(1)
	if !a.own.CompareAndSwap(nil, own) {
		own.cancel(nil)
		return a.own.Load()
	}
	if a.over.Load() {
		own.cancel(errReturned)
	}
	return own
}

var errReturned = fmt.Errorf("%w: the function has returned", context.Canceled)

// end is called when the function has returned.
func (a *attempt) end() {
	a.over.Store(true)
	if own := a.own.Load(); own != nil {
		own.cancel(errReturned)
	}
}

// here tells whether the function's own goroutine asks, so that the stack may be used.
func (a *attempt) here() bool { return a.stack != nil && a.stack.Current() }

// id is a name of the task for people: that of its parent and its number among the children, or home and number.
func (a *attempt) id() string {
	switch {
	case a.above != nil:
		return a.above.id() + "." + strconv.FormatUint(uint64(a.number), 10)
	case a.root != "":
		return a.root
	}
	return a.of.Piece.Job.String() + "/" + strconv.FormatUint(a.of.Index, 10)
}

// Here returns the node that runs the function that ctx was given to, or nil outside of one.
func Here(ctx context.Context) *Node {
	if a := attemptOf(ctx); a != nil {
		return a.node
	}
	if t := function.TaskOf(ctx); t != nil {
		n, _ := t.Owner.(*Node)
		return n
	}
	return nil
}

// TaskID names the task whose function ctx was given to: home, job and index, as filch explain takes them, and the
// numbers of children behind points. It is "" outside of one.
func TaskID(ctx context.Context) string {
	if a := attemptOf(ctx); a != nil {
		return a.id()
	}
	return ""
}

// Attempt tells which try at its task the running function is: attempts are ordered, and none is issued twice. A child
// that did not leave has that of its parent. It is zero outside of a task.
func Attempt(ctx context.Context) task.Attempt {
	if a := attemptOf(ctx); a != nil {
		return a.tree.top.of.Piece.Attempt
	}
	return task.Attempt{}
}

// ShouldYield reports whether a long function without calls of its own should end its turn soon: its result is not
// wanted any more, or others have waited for long. It costs a few nanoseconds.
func ShouldYield(ctx context.Context) bool {
	a := attemptOf(ctx)
	if a == nil {
		return ctx.Err() != nil
	}
	return a.Err() != nil || a.here() && a.stack.ShouldYield()
}

// Hungry reports whether somebody, a core here or a peer, would take the other half if the function split what it has
// left, and nothing that it split off before waits still. A function that can split asks it at every step, for a few
// nanoseconds, and splits only then; so tasks are as large as can be.
func Hungry(ctx context.Context) bool {
	a := attemptOf(ctx)
	return a != nil && a.here() && (a.stack.Hungry() || a.node.exporter.wanted.Load() && a.stack.Queued() == 0)
}

// Blocking runs fn, which may wait for something outside of the program, and lends the function's core to others
// for as long. fn must not call functions of nodes with this ctx. Outside of a task it just runs fn.
func Blocking(ctx context.Context, fn func()) {
	if a := attemptOf(ctx); a != nil && a.here() {
		a.stack.Block(fn)
		return
	}
	fn()
}
