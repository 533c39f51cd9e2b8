package core

import "time"

// This file is about peers that are gone, of which a node meets any number in its life. A link is
// remembered for the order of its hellos, and forgotten when it was not used for so long that nothing
// of it can be under way any more.

// linkMemory is how long: a multiple of every lease and of every patience.
const linkMemory = time.Minute

// forgetLinks is called when a link is made. It looks at all of them once in a while, so that their
// number is bounded by the peers that were met in two minutes and those that are there.
func (c *Core) forgetLinks() {
	if c.now < c.forgetAt {
		return
	}
	c.forgetAt = c.now + linkMemory
	for _, u := range c.ups {
		if !u.listed && u.asleep() && c.now-u.usedAt >= linkMemory {
			c.forgetUplink(u)
		}
	}
	for p, d := range c.downs {
		if !d.listed && d.asleep() && !d.offering && c.now-d.heard >= linkMemory {
			delete(c.downs, p)
		}
	}
}

// forgetUplink keeps only what the next link to any peer has to begin above: a grantor that has a better
// memory takes no hello that is older than those that it knows.
func (c *Core) forgetUplink(u *uplink) {
	c.above.session = max(c.above.session, u.session)
	c.above.epoch = max(c.above.epoch, u.epoch)
	delete(c.ups, u.peer)
}
