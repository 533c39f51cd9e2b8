// Package call is the runtime for registered Go functions: a registry of named
// functions over encoded arguments, and the runtime that executes them for the
// engine.
//
// A function that stays on its node needs none of this: exec.Fn and exec.Bag
// carry typed arguments. A name and bytes are what a task is made of when it
// comes from elsewhere, so this package decides what a name means and what happens
// when it means nothing here.
package call

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/filchsched/filch/exec/task"
)

// A Func is a function over encoded values. It must not keep args after it
// has returned, and what it returns belongs to the caller.
type Func func(ctx context.Context, args []byte) ([]byte, error)

// A Call is the body of a task of kind task.KindFunc.
type Call struct {
	Name string
	Args []byte
}

// MaxName bounds the length of a function's name in bytes: names travel with
// every task.
const MaxName = 255

// ErrUnknown is wrapped by the outcome of a call of a name that is not
// registered.
var ErrUnknown = errors.New("unknown function")

// A Registry maps names to functions. The zero value is empty and ready. It is
// safe for concurrent use.
type Registry struct {
	mu    sync.RWMutex
	funcs map[string]Func
}

// Register names fn. It returns an error if the name is empty, too long or
// taken: two functions of one name could not be told apart by a peer.
func (r *Registry) Register(name string, fn Func) error {
	switch {
	case name == "" || len(name) > MaxName:
		return fmt.Errorf("call: a function's name has 1 to %d bytes, not %d", MaxName, len(name))
	case fn == nil:
		return fmt.Errorf("call: function %q is nil", name)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, taken := r.funcs[name]; taken {
		return fmt.Errorf("call: function %q is registered already", name)
	}
	if r.funcs == nil {
		r.funcs = make(map[string]Func)
	}
	r.funcs[name] = fn
	return nil
}

// Names returns the registered names in order.
func (r *Registry) Names() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	names := make([]string, 0, len(r.funcs))
	for n := range r.funcs {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Lookup returns the function of a name, or nil.
func (r *Registry) Lookup(name string) Func {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.funcs[name]
}

// Kind implements exec.Runtime.
func (r *Registry) Kind() task.Kind { return task.KindFunc }

// External implements exec.Runtime: functions use this process's CPU.
func (r *Registry) External() bool { return false }

// Run implements exec.Runtime. The body of s must be a Call.
func (r *Registry) Run(ctx context.Context, s task.Spec) task.Outcome {
	c, ok := s.Body.(Call)
	if !ok {
		return failed(fmt.Errorf("call: the body of task %d is a %T, not a call.Call", s.ID, s.Body))
	}
	fn := r.Lookup(c.Name)
	if fn == nil {
		return failed(fmt.Errorf("call: %w %q; it must be registered before tasks arrive", ErrUnknown, c.Name))
	}
	out, err := fn(ctx, c.Args)
	if err != nil {
		return failed(err)
	}
	return task.Outcome{State: task.Done, Output: out}
}

func failed(err error) task.Outcome { return task.Outcome{State: task.Failed, Err: err} }
