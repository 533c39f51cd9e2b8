package node

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/filchsched/filch/exec/call"
	"github.com/filchsched/filch/node/function"
	"github.com/filchsched/filch/node/home"
)

// A MapError says which call of a MapSlice failed first, in the order of time; the others were cancelled.
type MapError struct {
	Index int   // of the argument
	Err   error // a *TaskError, or why the call was cancelled
}

// Error tells both.
func (e *MapError) Error() string { return fmt.Sprintf("call %d: %v", e.Index, e.Err) }

// Unwrap returns Err.
func (e *MapError) Unwrap() error { return e.Err }

// MapSlice calls the function for each element of in, by way of node n, and returns the results in the same order. The first
// failure cancels what has not ended; the error is a *MapError then, and the results that there are come along. in belongs to
// MapSlice until it returns.
//
// From outside of a function the calls are one job, which peers take parts of; a million of them cost the protocol some
// hundred records. There may be home.MaxTasks (1,048,576) at once; Map has no such bound. Inside of a function they are its
// children.
func (f Func[A, R]) MapSlice(ctx context.Context, n *Node, in []A, o ...CallOption) ([]R, error) {
	if f.d == nil {
		return nil, errNoFunction
	}
	above := attemptOf(ctx)
	if n == nil && above != nil {
		n = above.node
	}
	if n == nil {
		return nil, errNoNode
	}
	if len(in) == 0 {
		return nil, nil
	}
	if above != nil {
		return f.mapInside(ctx, n, in, o)
	}
	opt, err := options(o)
	if err != nil {
		return nil, err
	}
	t, err := opt.terms(n, f.d.wire)
	if err != nil {
		return nil, n.draining(err)
	}
	s := &sliceCalls[A, R]{d: f.d, node: n, in: in, out: make([]R, len(in)), state: make([]atomic.Uint32, len(in)), first: -1}
	if opt.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, opt.timeout, ErrTimedOut)
		defer cancel()
	}
	s.deadline, _ = ctx.Deadline()
	if opt.Retries > 0 {
		if err := s.encodeAll(); err != nil {
			return nil, err
		}
	}
	r, err := n.work.table.LiveRange(ctx, t, len(in), s)
	if err != nil {
		return nil, n.draining(err)
	}
	s.cancelWith(r)
	defer context.AfterFunc(ctx, r.Cancel)()
	<-r.Done()
	return s.results(ctx, r.Ended())
}

// mapInside is MapSlice for children.
func (f Func[A, R]) mapInside(ctx context.Context, n *Node, in []A, o []CallOption) ([]R, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out := make([]R, 0, len(in))
	window := make([]*Future[R], 0, insideWindow)
	for i := 0; i < len(in) || len(window) > 0; {
		for i < len(in) && len(window) < insideWindow {
			window = append(window, f.Go(ctx, n, in[i], o...))
			i++
		}
		// The oldest last: the newest are joined for the least.
		half := (len(window) + 1) / 2
		if i == len(in) {
			half = len(window)
		}
		for k := half - 1; k >= 0; k-- {
			if _, err := window[k].Wait(ctx); err != nil {
				return out, &MapError{Index: len(out) + k, Err: err}
			}
		}
		for k := range half {
			v, _ := window[k].Wait(ctx)
			out = append(out, v)
		}
		window = append(window[:0], window[half:]...)
	}
	return out, nil
}

// insideWindow is how many children of a MapSlice wait at once: enough for every core and peer, and fewer than a deque has
// room for.
const insideWindow = 512

// sliceCalls are the calls of a MapSlice. It is the range's home.LiveRange.
type sliceCalls[A, R any] struct {
	d        *definition[A, R]
	node     *Node
	in       []A
	encoded  [][]byte // of in, before the first run; nil: when needed
	deadline time.Time

	out   []R // out[i] is written by whoever makes state[i] resultHere
	state []atomic.Uint32

	mu    sync.Mutex
	raw   [][]byte // results that came from other processes; nil: none
	first int      // index of the first failure; -1: none
	why   error
	stop  func() // cancels the rest; nil: not known yet
}

// States of a call. A result counts once, whoever has it first.
const (
	resultNone    uint32 = iota
	resultComing         // a run on this node is writing it
	resultHere           // it has
	resultSettled        // told by the table, or not wanted any more
)

func (s *sliceCalls[A, R]) encodeAll() error {
	s.encoded = make([][]byte, len(s.in))
	for i, a := range s.in {
		var err error
		if s.encoded[i], err = s.d.args.Append([]byte{}, a); err != nil {
			return fmt.Errorf("%s: argument %d cannot be encoded: %w", s.d.wire, i, err)
		}
	}
	return nil
}

// cancelWith is told what to cancel, and does so if a call has failed already.
func (s *sliceCalls[A, R]) cancelWith(r *home.Range) {
	s.mu.Lock()
	s.stop = r.Cancel
	failed := s.first >= 0
	s.mu.Unlock()
	if failed {
		r.Cancel()
	}
}

// Encode implements home.LiveRange.
func (s *sliceCalls[A, R]) Encode(b []byte, i uint64) ([]byte, error) {
	var e envelope
	if !s.deadline.IsZero() {
		e.left = max(1, time.Until(s.deadline))
	}
	b = e.append(b)
	if s.encoded != nil {
		return append(b, s.encoded[i]...), nil
	}
	return s.d.args.Append(b, s.in[i])
}

// Run implements function.Local.
func (s *sliceCalls[A, R]) Run(ctx context.Context, t *function.Task) error {
	a := s.in[t.Index]
	if s.encoded != nil {
		var err error
		if a, err = s.d.args.Decode(s.encoded[t.Index]); err != nil {
			return call.Errorf(call.BadArgument, "%w", err)
		}
	}
	if !s.deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, s.deadline, ErrTimedOut)
		defer cancel()
	}
	at := nextAttempt(ctx, s.node, t)
	v, err := s.d.call(at, a)
	at.end()
	if err != nil {
		return err
	}
	if state := &s.state[t.Index]; state.CompareAndSwap(resultNone, resultComing) {
		s.out[t.Index] = v
		state.Store(resultHere)
	}
	return nil
}

// Settle implements home.LiveRange.
func (s *sliceCalls[A, R]) Settle(i uint64, r home.Reply) {
	here := !s.state[i].CompareAndSwap(resultNone, resultSettled)
	if here && r.Err == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Err == nil {
		if s.raw == nil {
			s.raw = make([][]byte, len(s.in))
		}
		if s.raw[i] = r.Value; r.Value == nil {
			s.raw[i] = []byte{}
		}
		return
	}
	if s.first < 0 { // what a failure has cancelled comes after it
		s.first, s.why = int(i), r.Err
		if s.stop != nil {
			s.stop()
		}
	}
}

// results are what there is when the range has ended. Runs whose results nobody wants may still be under way.
func (s *sliceCalls[A, R]) results(ctx context.Context, ended bool) ([]R, error) {
	for i := range s.state {
		for !s.state[i].CompareAndSwap(resultNone, resultSettled) && s.state[i].Load() == resultComing {
			runtime.Gosched() // a few instructions
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.out
	for i, b := range s.raw {
		if b == nil {
			continue
		}
		v, err := s.d.decoded(b)
		if err != nil {
			return out, &MapError{Index: i, Err: err}
		}
		out[i] = v
	}
	switch {
	case s.first < 0 && ended:
		return out, s.node.draining(home.ErrEnded)
	case s.first < 0:
		return out, nil
	case ctx.Err() != nil && errors.Is(s.why, ErrCancelled):
		return out, context.Cause(ctx)
	}
	return out, &MapError{Index: s.first, Err: s.why}
}
