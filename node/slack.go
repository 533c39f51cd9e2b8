package node

import (
	"context"
	"sync/atomic"

	"github.com/filchsched/filch/steal/core"
)

// slack tells stealing of cores that it counts as busy and the engine leaves idle: their tasks wait, for children that
// other nodes have, say. So such a core looks for other work.
type slack struct {
	idle  atomic.Int64 // workers of the engine that sleep
	told  atomic.Int64 // cores that the state machine was told last
	cores func() int
	exec  atomic.Pointer[tally] // nil until there is one
	wake  chan struct{}
}

func (s *slack) init(cores func() int) { s.cores, s.wake = cores, make(chan struct{}, 1) }

// now is how many cores count as busy and are not.
func (s *slack) now() int64 {
	x := s.exec.Load()
	if x == nil {
		return 0
	}
	return max(0, s.idle.Load()-int64(max(0, s.cores()-x.busy())))
}

// change is told by the engine how many workers sleep. It does not block, and where all that sleeps is free it wakes nobody:
// that is how each call begins and ends.
func (s *slack) change(idle int) {
	s.idle.Store(int64(idle))
	if s.now() == 0 && s.told.Load() == 0 {
		return
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// run passes it on, at the pace of the driver.
func (s *slack) run(ctx context.Context, w *work) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		}
		now := s.now()
		if s.told.Swap(now) == 0 && now == 0 {
			continue // while there is some it is told again: what was told may have been used up, and come to wait as well
		}
		if w.driver.Tell(core.Slack{Cores: int(now)}) != nil {
			return nil // it has ended
		}
	}
}
