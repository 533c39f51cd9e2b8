package main

import (
	"context"
	"errors"
	"sync"

	"github.com/filchsched/filch/exec/proc"
	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal/core"
)

// execute runs one errand here, for which the node has lent a core, or, without a node, we have one.
func (s *spread) execute(ctx context.Context, _ core.Run, index uint64) proc.Result {
	var e errand
	if !s.errands.get(index, func(at *errand) { at.tries++; e = *at }) {
		return proc.Result{Outcome: task.Outcome{State: task.Cancelled, Err: errors.New("it has ended")}}
	}
	if need := s.plan.needs.Memory; need > 0 {
		if !s.memory.take(ctx, need) {
			return proc.Result{Outcome: task.Outcome{State: task.Cancelled, Err: context.Cause(ctx)}}
		}
		defer s.memory.give(need)
	}
	c, err := s.command(e.row, e.line)
	if err != nil {
		return unmade(err)
	}
	c.Attempt.N = uint32(e.tries)
	s.status.started()
	f := finished{row: e.row, line: e.line}
	s.timed(ctx, &f, func(ctx context.Context) proc.Result {
		if s.plan.anywhere {
			return s.shared.Run(ctx, s.runner, c)
		}
		return s.execution.run(ctx, c)
	})
	s.status.ended(false, false) // it counts when it has its outcome
	if f.late {
		f.result.Err = lateError{f.result.Err}
	}
	return f.result
}

// A lateError is a time-out that says so in its own words, and is known for one.
type lateError struct{ error }

// Unwrap implements what errors.As asks for.
func (e lateError) Unwrap() []error { return []error{e.error, &proc.TimeoutError{}} }

// room is memory that commands hold while they run here.
type room struct {
	mu    sync.Mutex
	free  int64
	freed chan struct{} // closed when something is given back; nil: nobody waits
}

// take waits until so much is free; false if ctx ends before.
func (r *room) take(ctx context.Context, n int64) bool {
	for {
		r.mu.Lock()
		if r.free >= n {
			r.free -= n
			r.mu.Unlock()
			return true
		}
		if r.freed == nil {
			r.freed = make(chan struct{})
		}
		freed := r.freed
		r.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
			return false
		}
	}
}

func (r *room) give(n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.free += n
	if r.freed != nil {
		close(r.freed)
		r.freed = nil
	}
}
