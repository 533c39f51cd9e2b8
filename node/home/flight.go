package home

import (
	"context"
	"sync"
	"sync/atomic"
)

// flight counts the calls that have not returned, and has more of them wait.
type flight struct {
	n      atomic.Int64
	room   chan struct{} // holds a token when somebody who waits may look again
	ended  chan struct{}
	closed sync.Once
}

func (f *flight) enter(ctx context.Context) error {
	for f.n.Add(1) > MaxInFlight {
		f.n.Add(-1)
		if f.n.Load() < MaxInFlight {
			continue // somebody left in between, and may not have seen us
		}
		select {
		case <-f.room:
		case <-f.ended:
			return ErrEnded
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	// One token wakes one; who got in passes it on if there is room for another.
	if f.n.Load() < MaxInFlight {
		f.wake()
	}
	return nil
}

func (f *flight) leave(n int) {
	if n == 0 {
		return
	}
	f.n.Add(int64(-n))
	f.wake()
}

func (f *flight) wake() {
	select {
	case f.room <- struct{}{}:
	default:
	}
}

func (f *flight) close() { f.closed.Do(func() { close(f.ended) }) }
