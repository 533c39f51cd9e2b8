package node

import (
	"context"
	"fmt"
	"iter"
	"slices"
)

// A Reducer maps a function over inputs and combines the results, near where they are made: what travels is one result for
// each part that another node has taken. Make it with DefineReduce.
type Reducer[A, R any] struct{ r *reduction[A, R] }

// reduceBatch is how many inputs of a sequence are one call at first: enough to be worth splitting, few enough to
// be in memory many times.
const reduceBatch = 256

// DefineReduce makes fn and combine a reduction that nodes know by a name, as Define does. combine must be associative,
// combine(combine(a, b), c) == combine(a, combine(b, c)); it need not be commutative, since the order of the inputs is kept.
// It may change and return its first argument.
func DefineReduce[A, R any](name string, fn func(context.Context, A) (R, error), combine func(R, R) R, o ...DefOption) Reducer[A, R] {
	if fn == nil || combine == nil {
		panic(fmt.Sprintf("node: DefineReduce %q: there is no function, or none that combines", name))
	}
	r := &reduction[A, R]{fn: fn, combine: combine}
	r.part = Define(name, r.reduce, o...)
	return Reducer[A, R]{r}
}

// Reduce reduces the values of in by way of node n; of none it is the zero R. in may be longer than memory: parts of it
// are calls, at most MaxInFlight of them at once. The first failure cancels the rest.
func (r Reducer[A, R]) Reduce(ctx context.Context, n *Node, in iter.Seq[A], o ...CallOption) (all R, err error) {
	outer := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	first, whole := true, false
	o = append(slices.Clip(o), inOrderOnly)
	for part := range r.r.part.Map(ctx, n, batches(in, reduceBatch, &whole), o...) {
		if part.Err != nil {
			return *new(R), part.Err
		}
		if first {
			all, first = part.Value, false
			continue
		}
		all = r.r.combine(all, part.Value)
	}
	if !whole { // Map asks for no more when its context is done
		return *new(R), context.Cause(outer)
	}
	return all, nil
}

// inOrderOnly takes AsTheyEnd back: the order of the inputs is promised.
func inOrderOnly(o *callOptions) { o.asTheyEnd = false }

// ReduceSlice is Reduce for inputs that are in memory. They are one call, which splits while somebody has room.
func (r Reducer[A, R]) ReduceSlice(ctx context.Context, n *Node, in []A, o ...CallOption) (R, error) {
	if len(in) == 0 {
		return *new(R), nil
	}
	return r.r.part.Call(ctx, n, in, o...)
}

// batches are the values of in, so many at a time. It sets whole when there is no more.
func batches[A any](in iter.Seq[A], n int, whole *bool) iter.Seq[[]A] {
	return func(yield func([]A) bool) {
		var b []A
		for a := range in {
			if b = append(b, a); len(b) == n {
				if !yield(b) {
					return
				}
				b = nil
			}
		}
		if len(b) > 0 && !yield(b) {
			return
		}
		*whole = true
	}
}

// A reduction is what a Reducer's function does.
type reduction[A, R any] struct {
	fn      func(context.Context, A) (R, error)
	combine func(R, R) R
	part    Func[[]A, R]
}

// reduce reduces one input after the other, and splits off the right half of what is left whenever somebody would take it.
func (r *reduction[A, R]) reduce(ctx context.Context, in []A) (all R, err error) {
	if len(in) == 0 {
		return all, nil
	}
	if all, err = r.fn(ctx, in[0]); err != nil {
		return all, err
	}
	var parts []*Future[R] // from right to left
	for in = in[1:]; len(in) > 0; {
		if len(in) > 1 && Hungry(ctx) {
			half := len(in) / 2
			parts = append(parts, r.part.Go(ctx, nil, in[half:]))
			in = in[:half]
			continue
		}
		one, err := r.fn(ctx, in[0])
		if err != nil {
			return all, err
		}
		all, in = r.combine(all, one), in[1:]
	}
	for _, p := range slices.Backward(parts) {
		one, err := p.Wait(ctx)
		if err != nil {
			return all, err
		}
		all = r.combine(all, one)
	}
	return all, nil
}
