package node

import (
	"context"
	"sync/atomic"

	"github.com/filchsched/filch/steal/core"
)

// slack tells stealing of cores that it counts as busy and the engine leaves idle: their tasks wait, for children that
// other nodes have, say. So such a core looks for other work.
type slack struct {
	idle atomic.Int64 // workers of the engine that sleep
	wake chan struct{}
}

func (s *slack) init() { s.wake = make(chan struct{}, 1) }

// change is told by the engine how many workers sleep. It does not block.
func (s *slack) change(idle int) {
	s.idle.Store(int64(idle))
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// run passes it on, at the pace of the driver.
func (s *slack) run(ctx context.Context, w *work) error {
	told := 0
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		}
		now := max(0, int(s.idle.Load())-max(0, w.cores()-w.exec.busy()))
		if now == 0 && told == 0 {
			continue // while there is some it is told again: what was told may have been used up, and come to wait as well
		}
		told = now
		if w.driver.Tell(core.Slack{Cores: now}) != nil {
			return nil // it has ended
		}
	}
}
