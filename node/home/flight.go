package home

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/filchsched/filch/steal/core"
)

// taken looks at nothing: that it is called is the news.
func taken(*core.Core) {}

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

// growing are the Calls of which the driver was told something that it may not have taken
// yet.
type growing struct {
	mu   sync.Mutex
	some []*Calls
	wake chan struct{}
}

func (g *growing) put(c *Calls) {
	g.mu.Lock()
	g.some = append(g.some, c)
	g.mu.Unlock()
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

func (g *growing) take() []*Calls {
	g.mu.Lock()
	defer g.mu.Unlock()
	some := g.some
	g.some = nil
	return some
}

// grow tells the driver of new calls as fast as it takes them, and no faster, until ctx is
// done.
func (t *Table) grow(ctx context.Context) {
	var some []*Calls
	for {
		if len(some) == 0 {
			select {
			case <-ctx.Done():
				return
			case <-t.growing.wake:
			}
		}
		some = append(some, t.growing.take()...)
		// It comes to look when it is done with what it was told before.
		if t.driver.Ask(ctx, taken) != nil {
			return
		}
		left := some[:0]
		for _, c := range some {
			if c.grow() {
				left = append(left, c)
			}
		}
		some = left
	}
}
