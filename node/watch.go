package node

import (
	"context"
	"iter"
	"time"

	"github.com/filchsched/filch/node/control"
)

// Event is a change of what a node knows of its members; see the constants of control
// for the kinds.
type Event = control.Event

// beatPeriod is how often a watcher hears that nothing has happened, so that a
// connection that is dead is noticed on both sides.
const beatPeriod = 15 * time.Second

// Watch yields an event for each member there is, then "synced", then what changes, until
// ctx is done or the node ends; the last event says why it is the last. A consumer that
// is slow misses steps of a member, never its newest state.
func (n *Node) Watch(ctx context.Context) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		if !n.isReady() {
			yield(Event{Kind: control.EventLost, Time: time.Now(), Reason: "the node is not ready yet"})
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		changes := n.changes(ctx) // before the members are listed, so that nothing falls between
		for _, m := range n.Members() {
			if !yield(Event{Kind: control.EventPresent, Time: time.Now(), Node: &m}) {
				return
			}
		}
		if !yield(Event{Kind: control.EventSynced, Time: time.Now()}) {
			return
		}
		n.follow(ctx, changes, yield)
	}
}

// follow yields changes until there can be no more.
func (n *Node) follow(ctx context.Context, changes <-chan Event, yield func(Event) bool) {
	beat := time.NewTicker(beatPeriod)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.ended:
			yield(Event{Kind: control.EventLost, Time: time.Now(), Reason: "the node ends"})
			return
		case e, more := <-changes:
			if !more {
				yield(Event{Kind: control.EventLost, Time: time.Now(), Reason: "the node ends"})
				return
			}
			if !yield(e) {
				return
			}
		case <-beat.C:
			if !yield(Event{Kind: control.EventBeat, Time: time.Now()}) {
				return
			}
		}
	}
}

// changes returns the members that change, as they are when they are taken. A node on its
// own has none.
func (n *Node) changes(ctx context.Context) <-chan Event {
	if n.network == nil {
		return make(chan Event)
	}
	out := make(chan Event)
	in := n.network.cluster.Watch(ctx)
	go func() {
		defer close(out)
		for c := range in {
			e := Event{Kind: control.EventGone, Time: time.Now(), Node: forgotten(c.ID)}
			if m, ok := n.network.cluster.Member(c.ID); ok {
				v := n.view(m)
				e.Kind, e.Node = control.EventChanged, &v
			}
			select {
			case out <- e:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// Watch implements control.Backend.
func (a api) Watch(ctx context.Context) iter.Seq[control.Event] { return a.node.Watch(ctx) }
