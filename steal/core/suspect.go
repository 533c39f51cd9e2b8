package core

import (
	"slices"
	"time"
)

// This file is about silence: whom a grantor stops to believe in, and when it
// rather doubts itself.

// expireHolders takes back what silent peers hold, one lease after they were last heard.
func (c *Core) expireHolders() {
	c.watchItself()
	if c.now < c.expireAt {
		c.alarm(c.expireAt)
		return
	}
	c.expireAt = never
	defer c.putToSleep()
	doubt := c.doubtsItself()
	for _, d := range c.downList {
		if !d.open && d.empty() {
			continue
		}
		if c.now < d.expires {
			c.expiry(d.expires)
			continue
		}
		if doubt && !d.spared {
			d.spared = true
			d.expires = c.now + LeaseTTL
			c.expiry(d.expires)
			c.stats.SuspectedSelf++
			continue
		}
		c.expire(d)
	}
}

// watchItself asks for a step every second while anybody holds anything, so that a freeze of our own is
// noticed to the second.
func (c *Core) watchItself() {
	if slices.ContainsFunc(c.downList, func(d *downlink) bool { return !d.empty() }) {
		c.alarm(c.now + BeatEvery)
	}
}

// expiry has the leases looked at at a time, or before.
func (c *Core) expiry(at time.Duration) {
	c.expireAt = min(c.expireAt, at)
	c.alarm(c.expireAt)
}

func (c *Core) putToSleep() {
	c.downList = slices.DeleteFunc(c.downList, func(d *downlink) bool { d.listed = !d.asleep(); return !d.listed })
}

// doubtsItself tells whether so many holders are silent that the fault is likely
// to be here: more than a third of them, and more than one.
func (c *Core) doubtsItself() bool {
	silent, all := 0, 0
	for _, d := range c.downList {
		if d.empty() {
			continue
		}
		all++
		if c.now-d.heard > LeaseTTL/2 {
			silent++
		}
	}
	return silent > 1 && silent*3 > all
}

// expire ends a peer's leases. Later frames of its epoch are refused.
func (c *Core) expire(d *downlink) {
	if !d.empty() {
		c.stats.LeasesExpired++
		c.note("lease of %s is over", d.peer)
	}
	d.open = false
	d.offers = nil
	for _, id := range slices.Clone(d.order) {
		for _, h := range slices.Clone(d.jobs[id]) {
			for _, part := range d.takeOut(id, h.Span, func(o *hold) bool { return o.attempt == h.attempt && o.limbo == 0 }) {
				c.holdEnded(d, Piece{id, part.Span, part.attempt}, part, EndLost, "")
			}
		}
	}
}

// inLimbo has those looked at that wait, at a time or before.
func (c *Core) inLimbo(until time.Duration) {
	c.limboEnds = min(c.limboEnds, until)
	c.alarm(c.limboEnds)
}

// endLimbo ends the wait for commands of dead incarnations.
func (c *Core) endLimbo() {
	if c.now < c.limboEnds {
		c.alarm(c.limboEnds)
		return
	}
	c.limboEnds = never
	for _, d := range c.downList {
		for _, id := range slices.Clone(d.order) {
			for _, h := range slices.Clone(d.jobs[id]) {
				switch {
				case h.limbo == 0:
				case c.now < h.limbo:
					c.inLimbo(h.limbo)
				default:
					for _, part := range d.takeOut(id, h.Span, func(o *hold) bool { return o.attempt == h.attempt && o.limbo != 0 }) {
						c.holdEnded(d, Piece{id, part.Span, part.attempt}, part, EndLost, "")
					}
				}
			}
		}
	}
}

// shift moves every deadline that this node keeps as grantor.
func (c *Core) shift(gap time.Duration) {
	for _, d := range c.downList {
		d.expires += gap
		d.heard += gap
		for _, id := range d.order {
			for k := range d.jobs[id] {
				if h := &d.jobs[id][k]; h.limbo != 0 {
					h.limbo += gap
				}
			}
		}
	}
	if c.graceEnd != 0 {
		c.graceEnd += gap
	}
}
