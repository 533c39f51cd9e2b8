package node

import (
	"context"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/gossip"
	gossipcore "github.com/filchsched/filch/gossip/core"
	"github.com/filchsched/filch/steal/core"
)

const (
	// gather is how long changes of the membership are collected before they are told:
	// a rack that boots is one change.
	gather = 50 * time.Millisecond
	// freshen is how often news of those that have work are told again while there are
	// any: they change all the time and their change is no event, and what is too old is
	// not believed.
	freshen = 2 * time.Second
)

// followMembers tells the driver who is there, where, and who has work to give away.
func (n *Node) followMembers(ctx context.Context) error {
	changes := n.network.cluster.Watch(ctx)
	f := follower{node: n, left: make(map[peer.ID]bool)}
	f.tellMembers()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	stopped := true // the timer is
	var at time.Time
	sooner := func(after time.Duration) {
		if t := time.Now().Add(after); stopped || t.Before(at) {
			at, stopped = t, false
			timer.Reset(after)
		}
	}
	var members, news bool
	for {
		select {
		case c, more := <-changes:
			if !more {
				return nil
			}
			if c.What&(gossipcore.ChangedState|gossipcore.ChangedRecord|gossipcore.ChangedLevel) != 0 {
				members = true
				f.hasLeft(c)
			}
			news = news || c.What&gossipcore.ChangedStanding != 0
			sooner(gather)
			if !members {
				sooner(0) // work has appeared: no reason to wait
			}
		case <-timer.C:
			stopped = true
			if members {
				f.tellMembers()
			}
			if f.tellCandidates() {
				sooner(freshen)
			}
			members, news = false, false
		}
	}
}

// A follower turns members into events.
type follower struct {
	node *Node
	left map[peer.ID]bool // that were told to have left
}

// hasLeft tells of a member that said goodbye, once. One that failed may come back with
// all it had.
func (f *follower) hasLeft(c gossip.Change) {
	m, ok := f.node.network.cluster.Member(c.ID)
	switch {
	case !ok:
		delete(f.left, c.ID)
	case m.State != gossipcore.Left:
		delete(f.left, c.ID)
	case !f.left[c.ID] && !m.Self:
		f.left[c.ID] = true
		_ = f.node.work.driver.Tell(core.Left{Peer: core.PeerID(c.ID.String())})
	}
}

// tellMembers tells who is there, this node included.
func (f *follower) tellMembers() {
	var list []core.Member
	for _, m := range f.node.network.cluster.Members() {
		if !m.State.Present() && !m.Self {
			continue
		}
		v := core.Member{Peer: core.PeerID(m.ID.String()), Place: placeOf(m), Level: uint8(m.Level), RTT: m.RTT}
		if m.Record != nil {
			v.Kinds, v.Cores = kindsOf(m.Record.Kinds), int32(m.Record.Cores)
		}
		list = append(list, v)
	}
	_ = f.node.work.driver.Tell(core.Members{List: list})
}

// tellCandidates tells who has work to give away, the news heard last first, and whether there
// is anybody.
func (f *follower) tellCandidates() bool {
	var list []core.Candidate
	for _, m := range f.node.network.cluster.Members() {
		if m.Self || !m.State.Present() || !m.Heard || m.News.Standing&gossipcore.Surplus == 0 {
			continue
		}
		list = append(list, core.Candidate{
			Peer: core.PeerID(m.ID.String()), Level: uint8(m.Level), Surplus: max(m.News.Queued, time.Millisecond), Age: m.News.Age, RTT: m.RTT,
		})
	}
	if len(list) == 0 {
		return false
	}
	slices.SortStableFunc(list, func(a, b core.Candidate) int { return int(a.Age - b.Age) })
	_ = f.node.work.driver.Tell(core.Candidates{List: list})
	return true
}

// placeOf is where a member sits: zone, rack and host, as far as it says so.
func placeOf(m gossip.Member) string {
	host := ""
	if m.Record != nil {
		host = string(m.Record.Host.Boot[:])
		if m.Record.Host == (gossipcore.HostID{}) {
			host = m.ID.String()
		}
	}
	return m.Labels["zone"] + "/" + m.Labels["rack"] + "/" + host
}

// kindFunc is what an announcement calls registered Go functions.
const kindFunc = "func"

// kindsOf are the kinds of an announcement in the scheduler's words.
func kindsOf(names []string) []task.Kind {
	kinds := []task.Kind{}
	for _, k := range names {
		switch k {
		case KindExec:
			kinds = append(kinds, task.KindProc)
		case kindFunc:
			kinds = append(kinds, task.KindFunc)
		}
	}
	return kinds
}
