package core

import (
	"time"

	"github.com/filchsched/filch/steal/cost"
)

// moved takes in what the driver has measured.
func (c *Core) moved(ev Moved) {
	if d := c.downs[ev.Peer]; d != nil {
		d.pace.Learn(ev.Bytes, ev.Took)
	} else if u := c.ups[ev.Peer]; u != nil {
		u.pace.Learn(ev.Bytes, ev.Took)
	}
}

// paceTo is the pace of transfers with a peer.
func (c *Core) paceTo(p PeerID) cost.Pace {
	if d := c.downs[p]; d != nil && d.pace.Known() {
		return d.pace
	}
	if u := c.ups[p]; u != nil && u.pace.Known() {
		return u.pace
	}
	return cost.Pace{}
}

// Bandwidth is the bytes a second that transfers with a peer are expected to make.
func (c *Core) Bandwidth(p PeerID) int64 {
	if each := c.paceTo(p).Of(1 << 20); each > 0 {
		return int64(time.Second) << 20 / int64(each)
	}
	return 1 << 62 // not measurable
}

// wayTo is the line to a peer, as far as it is known.
func (c *Core) wayTo(p PeerID) cost.Way { return cost.Way{RTT: c.rtt(p), Pace: c.paceTo(p)} }

// Ways tells about the lines over which something was measured: for who decides elsewhere on the same grounds.
func (c *Core) Ways(yield func(p PeerID, w cost.Way, functions []uint32)) {
	for _, u := range c.upOrder {
		yield(u.peer, c.wayTo(u.peer), nil)
	}
	for _, d := range c.downList {
		yield(d.peer, c.wayTo(d.peer), d.last.Functions)
	}
}
