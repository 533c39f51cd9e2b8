package gossip

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/filchsched/filch/gossip/core"
)

// Member is a snapshot of what one node knows of a member.
type Member struct {
	ID     peer.ID
	Name   string     // as its record says; empty until that has been fetched
	State  core.State // alive, suspect, left, failed
	Self   bool       // this node
	Addrs  []string   // multiaddrs under which it can be dialled
	Labels map[string]string
	Level  core.Level       // how far away it is
	Reason core.LevelReason // what Level was concluded from
	RTT    time.Duration    // 0 for not measured
	Since  time.Duration    // how long it has been in State
	Record *core.Record     // nil until fetched; shared, not to be changed
	News   core.News        // its load, if Heard
	Heard  bool             // whether there is recent news of it
}

// Members returns what is known of every member, this node included, nearest level first.
// Failed members are in it for ReconnectTimeout, left ones for TombstoneTimeout. It may be
// called concurrently.
func (c *Cluster) Members() []Member {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	var all []Member
	for _, m := range c.machine.Members() {
		all = append(all, c.member(now, m))
	}
	slices.SortFunc(all, func(a, b Member) int {
		return cmp.Or(cmp.Compare(a.Level, b.Level), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// Member returns what is known of one member, if it is one. It may be called concurrently.
func (c *Cluster) Member(id peer.ID) (Member, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	m, ok := c.machine.Member(core.ID(id))
	if !ok {
		return Member{}, false
	}
	return c.member(now, m), true
}

// member is m for the outside. c.mu is held.
func (c *Cluster) member(now time.Duration, m core.Member) Member {
	out := Member{
		ID: peer.ID(m.ID), State: m.State, Self: peer.ID(m.ID) == c.id,
		Level: m.Level, Reason: m.Reason, RTT: m.RTT, Since: now - m.Since,
		Record: m.Record, News: m.News, Heard: m.Heard,
	}
	if m.Record != nil {
		out.Name, out.Addrs, out.Labels = m.Record.Name, m.Record.Addrs, m.Record.Labels
	}
	return out
}

// Change says what has become different about a member.
type Change struct {
	ID   peer.ID
	What core.Change
}

// Watch returns a channel of changes from now on. Changes of one member that the receiver
// has not yet taken become one, so a slow receiver misses steps, never the last one. The
// channel is closed when ctx is done or the cluster has stopped. It may be called
// concurrently.
func (c *Cluster) Watch(ctx context.Context) <-chan Change {
	w := &watcher{pending: make(map[core.ID]core.Change), wake: make(chan struct{}, 1)}
	out := make(chan Change)
	c.mu.Lock()
	c.watchers[w] = true
	c.mu.Unlock()
	go func() {
		defer close(out)
		defer c.unwatch(w)
		for {
			select {
			case <-w.wake:
			case <-ctx.Done():
				return
			case <-c.stopped:
				return
			}
			for _, change := range c.takeChanges(w) {
				select {
				case out <- change:
				case <-ctx.Done():
					return
				case <-c.stopped:
					return
				}
			}
		}
	}()
	return out
}

// A watcher is a receiver of changes. Its fields are under Cluster.mu.
type watcher struct {
	pending map[core.ID]core.Change // at most one per member
	order   []core.ID               // of pending
	wake    chan struct{}
}

// changed notes a change for every watcher. c.mu is held.
func (c *Cluster) changed(e core.Changed) {
	for w := range c.watchers {
		was, ok := w.pending[e.ID]
		if !ok {
			w.order = append(w.order, e.ID)
		}
		w.pending[e.ID] = was | e.What
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

func (c *Cluster) takeChanges(w *watcher) []Change {
	c.mu.Lock()
	defer c.mu.Unlock()
	changes := make([]Change, len(w.order))
	for i, id := range w.order {
		changes[i] = Change{peer.ID(id), w.pending[id]}
	}
	clear(w.pending)
	w.order = w.order[:0]
	return changes
}

func (c *Cluster) unwatch(w *watcher) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.watchers, w)
}
