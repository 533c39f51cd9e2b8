package node

import (
	"context"
	"iter"
)

// An Outcome is what one call of a Map ended in.
type Outcome[R any] struct {
	Index int // of the input, from 0
	Value R
	Err   error  // nil, a *TaskError, or why the call was cancelled
	Node  string // peer ID of the node that ran it; "" if it stayed in the function that has called, or did not run
}

// Map calls the function for each value of in, by way of node n, and yields the outcomes, failures among them, in the order
// of the inputs, or with AsTheyEnd as the calls end. in is asked for a value when there is room for another call: at most
// MaxInFlight (1,024) are under way or wait to be yielded, so that in may be endless and memory stays bounded. in is
// iterated over by the caller's goroutine. When ctx is done, the calls that are under way are cancelled, their outcomes are
// yielded, and no further input is asked for; when the caller stops iterating, they are cancelled as well.
func (f Func[A, R]) Map(ctx context.Context, n *Node, in iter.Seq[A], o ...CallOption) iter.Seq[Outcome[R]] {
	return func(yield func(Outcome[R]) bool) {
		opt, err := options(o)
		if err != nil {
			yield(Outcome[R]{Err: err})
			return
		}
		if opt.plain() && opt.timeout == 0 {
			o = nil // the rest is Map's own
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		more, stop := iter.Pull(in)
		defer stop()
		var w window[R] = &inOrder[R]{}
		if opt.asTheyEnd {
			w = &asTheyEnd[R]{ended: make(chan int, opt.inFlight), open: make(map[int]*Future[R])}
		}
		for i, over := 0, false; ; {
			for !over && ctx.Err() == nil && w.len() < opt.inFlight {
				a, ok := more()
				if over = !ok; ok {
					w.add(i, f.Go(ctx, n, a, o...))
					i++
				}
			}
			if w.len() == 0 || !yield(w.next(ctx)) {
				return
			}
		}
	}
}

// A window is the calls that are under way, or have ended and wait to be yielded.
type window[R any] interface {
	len() int
	add(i int, f *Future[R])
	next(ctx context.Context) Outcome[R]
}

func outcomeOf[R any](ctx context.Context, i int, f *Future[R]) Outcome[R] {
	v, err := f.Wait(context.WithoutCancel(ctx)) // it ends soon after ctx does
	return Outcome[R]{Index: i, Value: v, Err: err, Node: f.node()}
}

// inOrder yields the oldest first.
type inOrder[R any] struct {
	first int
	open  []*Future[R]
}

func (w *inOrder[R]) len() int { return len(w.open) }

func (w *inOrder[R]) add(_ int, f *Future[R]) { w.open = append(w.open, f) }

func (w *inOrder[R]) next(ctx context.Context) Outcome[R] {
	f := w.open[0]
	w.open[0] = nil
	w.open = w.open[1:]
	w.first++
	return outcomeOf(ctx, w.first-1, f)
}

// asTheyEnd yields what ends first.
type asTheyEnd[R any] struct {
	ended chan int // has room for all that are open
	open  map[int]*Future[R]
}

func (w *asTheyEnd[R]) len() int { return len(w.open) }

func (w *asTheyEnd[R]) add(i int, f *Future[R]) {
	w.open[i] = f
	f.onEnd(func() { w.ended <- i })
}

func (w *asTheyEnd[R]) next(ctx context.Context) Outcome[R] {
	var i int
	select {
	case i = <-w.ended:
	default:
		Blocking(ctx, func() { i = <-w.ended })
	}
	f := w.open[i]
	delete(w.open, i)
	return outcomeOf(ctx, i, f)
}
