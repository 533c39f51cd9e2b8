package node

import (
	"context"
	"sync/atomic"
	"time"

	gossipcore "github.com/filchsched/filch/gossip/core"
	"github.com/filchsched/filch/steal/core"
)

// loadPeriod is how often a node that is at work looks at its load, for the news. One
// at rest does not look.
const loadPeriod = time.Second

// load tells gossip how busy the node is. While anything begins or ends, or waits, it looks
// once a period; when all is still it sleeps until stirred, without a timer.
type load struct {
	stirred atomic.Bool
	wake    chan struct{}
	looks   atomic.Uint64 // how often it looked
}

func newLoad() *load { return &load{wake: make(chan struct{}, 1)} }

// stir says that something has changed. It costs a load when the teller is awake.
func (l *load) stir() {
	if l.stirred.Load() || l.stirred.Swap(true) {
		return
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// run looks and tells until ctx is done.
func (l *load) run(ctx context.Context, now func(context.Context) (gossipcore.Load, error), tell func(gossipcore.Load)) error {
	var was gossipcore.Load
	first := true
	pause := time.NewTimer(loadPeriod)
	defer pause.Stop()
	for {
		l.stirred.Store(false)
		l.looks.Add(1)
		is, err := now(ctx)
		if err != nil {
			return nil // the driver has ended, and so will the node
		}
		if first || is != was {
			tell(is)
		}
		was, first = is, false
		resting := is.Waiting == 0 && is.Queued == 0
		pause.Reset(loadPeriod)
		select {
		case <-ctx.Done():
			return nil
		case <-pause.C:
		}
		if !resting {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-l.wake:
		}
	}
}

// loadNow is this node's load: cores that no task holds, and what waits that others could run.
func (n *Node) loadNow(ctx context.Context) (gossipcore.Load, error) {
	var surplus time.Duration
	err := n.work.driver.Ask(ctx, func(c *core.Core) { surplus = c.Surplus() })
	if err != nil {
		return gossipcore.Load{}, err // the question may still be answered, into surplus
	}
	is := gossipcore.Load{FreeCores: max(0, n.work.cores()-n.work.exec.busy()), Queued: surplus}
	if surplus > 0 {
		is.Waiting = 1
	}
	return is, err
}
