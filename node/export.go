package node

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/filchsched/filch/exec"
	"github.com/filchsched/filch/node/home"
	"github.com/filchsched/filch/steal/core"
)

// This file takes children out of the engine's deques for peers that ask for work. A child that nobody asks
// for stays where it is, and costs nothing of this.
//
// What goes is the oldest child of a deque: in a recursion it stands for the most work. And it has been the
// oldest for a while: whoever spawned it has worked on something else all that time, so it is probably as long, and
// worth the way. So nothing needs to be known of how long children take, and a recursion that is nearly over
// keeps its last small ones.

// exportAge is how long a child has to have been the oldest of its deque: some times what it costs to send one and
// have its result back, on both ends.
const exportAge = 500 * time.Microsecond

// An exporter is the goroutine that does it. wanted and look are for anybody.
type exporter struct {
	wanted atomic.Bool // peers wait for work that we do not have queued
	idle   atomic.Bool // the exporter sleeps until kicked
	kick   chan struct{}
	seen   map[seenPlace]uint64 // the oldest children of the last look; the exporter's
}

type seenPlace struct {
	job   *exec.Job
	place int
}

func (x *exporter) init() {
	x.kick = make(chan struct{}, 1)
	x.seen = make(map[seenPlace]uint64)
}

// want is told that peers wait, and whether any function runs here.
func (x *exporter) want(running bool) {
	x.wanted.Store(true)
	if running { // else there is no child, and the first one looks
		x.look()
	}
}

// look wakes the exporter. While it is at work anyway this is a load.
func (x *exporter) look() {
	if !x.idle.Load() || !x.idle.Swap(false) {
		return
	}
	select {
	case x.kick <- struct{}{}:
	default:
	}
}

// run is the exporter's life. It looks every exportAge while peers wait and children do, and else sleeps.
func (x *exporter) run(ctx context.Context, n *Node) error {
	pause := time.NewTimer(time.Hour)
	defer pause.Stop()
	for {
		clear(x.seen)
		x.idle.Store(true)
		if !x.wanted.Load() || !x.anything(n) {
			select {
			case <-ctx.Done():
				return nil
			case <-x.kick:
			}
		}
		x.idle.Store(false)
		for x.wanted.Load() && x.note(n) {
			pause.Reset(exportAge)
			select {
			case <-ctx.Done():
				return nil
			case <-pause.C:
			}
			if !x.export(ctx, n) {
				break
			}
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

// anything tells whether a child waits.
func (x *exporter) anything(n *Node) (any bool) {
	for _, j := range n.work.calls.Jobs() {
		j.Oldest(func(int, uint64) bool {
			any = true
			return false
		})
		if any {
			return true
		}
	}
	return false
}

// note remembers the oldest child of each deque, and tells whether there is any.
func (x *exporter) note(n *Node) bool {
	next := make(map[seenPlace]uint64, len(x.seen))
	for _, j := range n.work.calls.Jobs() {
		j.Oldest(func(place int, number uint64) bool {
			next[seenPlace{j, place}] = number
			return true
		})
	}
	x.seen = next
	return len(next) > 0
}

// export takes as many children as peers would take now, of those that are still the oldest of their deques. False:
// nobody waits for work any more.
func (x *exporter) export(ctx context.Context, n *Node) bool {
	old := false
	for _, j := range n.work.calls.Jobs() {
		j.Oldest(func(place int, number uint64) bool {
			was, ok := x.seen[seenPlace{j, place}]
			old = ok && was == number
			return !old
		})
		if old {
			break
		}
	}
	if !old {
		return true
	}
	x.wanted.Store(false) // whoever comes from here on sets it again
	most := 0
	if n.work.driver.Ask(ctx, func(c *core.Core) { most = c.Appetite() }) != nil || most <= 0 {
		return false
	}
	x.wanted.Store(true)
	for _, j := range n.work.calls.Jobs() {
		j.Oldest(func(place int, number uint64) bool {
			if was, ok := x.seen[seenPlace{j, place}]; !ok || was != number {
				return most > 0
			}
			if t, ok := children.TakeAt(j, place, number); ok {
				most--
				t.Arg().leave(n, t)
			}
			return most > 0
		})
	}
	return true
}

// leave makes a child that was taken out of its deque a call of the table, which a peer takes, or this node after all.
func (k *child[A, R]) leave(n *Node, t exec.Taken[spawned, struct{}]) {
	over := func(err error) {
		k.Future.err = err
		k.attempt.end()
		k.Future.settle()
		t.Finish(struct{}{})
	}
	if err := k.dropped(); err != nil {
		over(err)
		return
	}
	calls, err := k.d.childCalls(n)
	if err != nil {
		over(n.draining(err))
		return
	}
	u := newOutside(k.d, n, k.arg)
	u.depth, u.id, u.ctx = k.attempt.depth, k.attempt.id(), &k.attempt
	u.deadline, _ = k.attempt.Deadline()
	u.done = func() {
		f := &u.Future
		k.Future.value, k.Future.err, k.Future.far = f.value, f.err, &u.far
		k.attempt.end()
		k.Future.settle()
		t.Finish(struct{}{})
	}
	if f := u.begin(calls, true); f != &u.Future {
		over(f.err)
	}
}

// childCalls are the calls of a function that are children of others.
func (d *definition[A, R]) childCalls(n *Node) (home.LiveCalls, error) {
	key := childKey(d.wire)
	if c, ok := n.plainCalls.Load(key); ok {
		return c.(home.LiveCalls), nil
	}
	t, err := (&callOptions{}).terms(n, d.wire)
	if err != nil {
		return home.LiveCalls{}, err
	}
	t.Child = true
	ctx, cancel := context.WithTimeout(context.Background(), askPatience)
	defer cancel()
	c, err := n.work.table.LiveCalls(ctx, t)
	if err == nil {
		n.plainCalls.Store(key, c)
	}
	return c, err
}

// A childKey finds the calls of children in Node.plainCalls.
type childKey string

// askPatience is how long the driver may take for a step; it has ended otherwise.
const askPatience = 10 * time.Second
