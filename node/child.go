package node

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/filchsched/filch/exec"
	"github.com/filchsched/filch/exec/call"
	"github.com/filchsched/filch/node/home"
)

// MaxNesting is how deep calls may nest: a call beyond it fails with ErrTooDeep. Children that nobody takes run on their
// parent's goroutine, whose stack Go bounds.
const MaxNesting = 1 << 16

// A spawned child waits in a deque of the engine until its parent, another core, or the exporter takes it.
type spawned interface {
	runHere(c *exec.Ctx)
	leave(n *Node, t exec.Taken[spawned, struct{}])
}

// children is what the engine knows of children: how one runs.
var children = exec.Define(func(c *exec.Ctx, s spawned) struct{} {
	s.runHere(c)
	return struct{}{}
})

// A child is a call inside a function: result, context and argument in one piece of memory. While it stays on this
// node it is in no table and is never encoded.
type child[A, R any] struct {
	Future[R]
	attempt
	d   *definition[A, R]
	arg A
}

// spawn makes a child of the running function, on its own goroutine.
func (d *definition[A, R]) spawn(ctx context.Context, above *attempt, a A) *Future[R] {
	if above.depth >= MaxNesting {
		return failed[R](home.Failed(d.wire, "", 0, call.TooDeep, fmt.Sprintf("%v: more than %d", home.ErrTooDeep, MaxNesting)))
	}
	k := &child[A, R]{d: d, arg: a}
	above.born++
	k.attempt.parent, k.attempt.node, k.attempt.above = ctx, above.node, above
	k.attempt.depth, k.attempt.number, k.attempt.child = above.depth+1, above.born, true
	k.attempt.grow()
	k.Future.owner, k.Future.child = above.stack, &k.attempt
	k.Future.join = children.Spawn(above.stack, k)
	if x := &above.node.exporter; x.wanted.Load() {
		x.look() // behind the spawn: the exporter sleeps if it finds no child
	}
	return &k.Future
}

// runHere runs the child on a stack of this node.
func (k *child[A, R]) runHere(c *exec.Ctx) {
	k.attempt.stack = c
	if err := k.dropped(); err != nil {
		k.Future.err = err
	} else {
		k.Future.value, k.Future.err = k.d.run(&k.attempt, k.arg)
	}
	k.attempt.end()
	k.Future.settle()
}

// dropped says why the child need not run any more.
func (k *child[A, R]) dropped() error {
	if k.attempt.told() != nil {
		return context.Cause(&k.attempt)
	}
	if k.attempt.above.over.Load() {
		return errReturned
	}
	return nil
}

// run calls the function with a value, and makes a *TaskError of what goes wrong.
func (d *definition[A, R]) run(at *attempt, a A) (v R, err error) {
	returned := false
	defer func() {
		if !returned {
			v, err = *new(R), d.panicked(at, recover())
		}
	}()
	if v, err = d.call(at, a); err != nil {
		err = d.failure(at, err) // whose Error may panic: one of a nil pointer does
	}
	returned = true
	return v, err
}

// call is the function, or with Config.EncodeAlways what is left of it by way of encodings.
func (d *definition[A, R]) call(at *attempt, a A) (R, error) {
	if at.node.config.EncodeAlways {
		return d.callEncoded(at, a)
	}
	return d.fn(at, a)
}

// failure is an error of the function as its caller gets it, here as from elsewhere.
func (d *definition[A, R]) failure(at *attempt, err error) error {
	var is *home.TaskError
	if errors.As(err, &is) && is.Function == d.wire && err == error(is) {
		return err // of a call that it passes on
	}
	return home.Failed(d.wire, at.node.peer(), Attempt(at).N, call.KindOf(err), err.Error())
}

func (d *definition[A, R]) panicked(at *attempt, v any) error {
	if v == nil {
		v = exec.ErrGoexit
	}
	stack := string(debug.Stack())
	if _, after, ok := strings.Cut(stack, "panic("); ok {
		stack = "panic(" + after
	}
	return home.Failed(d.wire, at.node.peer(), Attempt(at).N, call.Panicked, fmt.Sprintf("panic: %v", v)+call.StackMark+stack)
}
