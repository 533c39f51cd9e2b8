package gossip

import (
	"context"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/filchsched/filch/gossip/core"
	"github.com/filchsched/filch/gossip/transport"
)

// How far away a member is, in the order of what is believed: the answers of memberlist's
// probes, each member's within as many seconds as there are members; the connection by
// which a newcomer joined, until then; Serf's network coordinates, for who never answered
// a probe of this node's itself.

const (
	// measureInterval is how often the network coordinates are looked at.
	measureInterval = 10 * time.Second
	// settled is the error (relative, 1 at first) below which a coordinate is believed.
	settled = 0.5
	// tripsKept is how many of the last round trips to a member count. The shortest of
	// them is taken: what makes one longer is mostly a machine that has other things to do.
	tripsKept = 4
)

// trips are the last round trips to one member. They are under Cluster.mu.
type trips struct {
	last [tripsKept]time.Duration
	next int
	told time.Duration // to the machine
}

// add takes a measured round trip, and returns what is to be told, if that is something
// new: differences of less than an eighth are not.
func (t *trips) add(rtt time.Duration) (time.Duration, bool) {
	t.last[t.next] = rtt
	t.next = (t.next + 1) % tripsKept
	shortest := rtt
	for _, x := range t.last {
		if x > 0 {
			shortest = min(shortest, x)
		}
	}
	return t.tell(shortest)
}

func (t *trips) tell(rtt time.Duration) (time.Duration, bool) {
	if rtt <= 0 || (rtt-t.told).Abs() <= t.told/8 {
		return 0, false
	}
	t.told = rtt
	return rtt, true
}

// measured is called by the transport, for each probe that was answered.
func (c *Cluster) measured(id peer.ID, rtt time.Duration) {
	c.mu.Lock()
	if c.vitals[id.String()] == nil {
		c.mu.Unlock()
		return // not a member any more
	}
	t := c.trips[id]
	if t == nil {
		t = &trips{}
		c.trips[id] = t
	}
	// A clock that stands still, as one of a simulation does, measures nothing.
	told, news := t.add(max(rtt, time.Nanosecond))
	c.mu.Unlock()
	if news {
		c.step(core.Measured{ID: core.ID(id), RTT: told})
	}
}

// guess tells the machine what a connection with a newcomer says.
func (c *Cluster) guess(id peer.ID) {
	n, ok := c.cfg.Network.(transport.RoundTrips)
	if !ok || id == c.id {
		return
	}
	c.mu.Lock()
	_, known := c.trips[id]
	c.mu.Unlock()
	if rtt := n.RTT(id); rtt > 0 && !known {
		c.step(core.Measured{ID: core.ID(id), RTT: rtt})
	}
}

// measureLoop tells the machine what the network coordinates say about members that were
// not measured.
func (c *Cluster) measureLoop(ctx context.Context) {
	tick := time.NewTicker(measureInterval)
	defer tick.Stop()
	concluded := make(map[peer.ID]*trips)
	for {
		select {
		case <-tick.C:
			c.conclude(concluded)
		case <-ctx.Done():
			return
		}
	}
}

// conclude reports the distances of coordinates that have changed by more than an eighth.
func (c *Cluster) conclude(concluded map[peer.ID]*trips) {
	c.mu.Lock()
	unmeasured := make(map[peer.ID]string)
	for name, v := range c.vitals {
		if c.trips[v.id] == nil && v.id != c.id {
			unmeasured[v.id] = name
		}
	}
	c.mu.Unlock()
	for id := range concluded {
		if _, ok := unmeasured[id]; !ok {
			delete(concluded, id)
		}
	}
	if len(unmeasured) == 0 {
		return
	}
	own, err := c.serf.GetCoordinate()
	if err != nil || own.Error > settled {
		return
	}
	for id, name := range unmeasured {
		theirs, ok := c.serf.GetCachedCoordinate(name)
		if !ok || theirs.Error > settled {
			continue
		}
		if concluded[id] == nil {
			concluded[id] = &trips{}
		}
		if rtt, news := concluded[id].tell(own.DistanceTo(theirs)); news {
			c.step(core.Measured{ID: core.ID(id), RTT: rtt})
		}
	}
}
