package core

import (
	"time"

	"github.com/filchsched/filch/exec/task"
)

// This file is about work that this Core does not see: tasks that running functions have spawned wait in the engine's
// deques, and nobody here knows how many. When peers that have free cores wait here and there is nothing for them, the
// owner is told once (Wanted); it looks for such tasks and asks by Appetite how many to bring.

// appetiteEvery is how often the appetite is looked at while there is work for whoever waits.
const appetiteEvery = time.Millisecond

// Appetite is how many tasks the peers that wait here with free cores could take now, less what is queued here and
// may leave. When it returns 0, Wanted comes again as soon as that changes; so whoever keeps Wanted as a flag clears
// it before asking, and sets it again when the answer is more than 0.
func (c *Core) Appetite() int {
	n := c.appetite()
	c.wanted = n > 0
	return n
}

func (c *Core) appetite() (n int) {
	for _, d := range c.offering {
		if d.waits() && d.peer != c.cfg.Host {
			if o := &d.offers[0]; o.unable(d.peer, &Terms{Kind: task.KindFunc}) != reasonKind {
				n += int(min(int64(o.Tasks), max(0, int64(o.Cores))))
			}
		}
	}
	if n == 0 || c.draining {
		return 0
	}
	left := uint64(n)
	for _, j := range c.jobOrder {
		if !j.terms.Where.Local {
			left -= min(left, j.queue.Len(), j.spare())
		}
	}
	for _, u := range c.upOrder {
		left -= min(left, u.unstarted())
	}
	return int(left)
}

// want tells the owner that peers wait for work, once until it has heard that none does, or until none did.
func (c *Core) want() {
	switch {
	case len(c.offering) == 0:
		c.wanted = false
	case c.wanted:
	case c.now < c.appetiteAt:
		c.alarm(c.appetiteAt)
	case c.appetite() > 0:
		c.wanted = true
		c.emit(Wanted{})
	default:
		c.appetiteAt = c.now + appetiteEvery
	}
}
