package core

// This file is about cores that runs hold for nothing: a function that waits for its children elsewhere leaves its core
// to the engine, which has nothing for it. The engine's owner tells (Slack), and those cores count as free: own work starts
// there, and peers are asked for more. Slack is told after the fact, so what starts on it counts as busy at once, and
// more starts only if more slack is told.
//
// Every run that waits keeps a goroutine with its stack, and what starts in its place may come to wait as well. So beyond
// the cores no more than maxLent for each are used at a time; but the tasks that runs here may wait for, the jobs marked
// as children (Terms.Child), start regardless, and before other jobs of the owner's: something that is waited for can
// always run, and so the number of those that wait falls again.

// maxLent bounds the cores that runs use beyond those there are, for each of these.
const maxLent = 16

// setSlack takes in how many cores of those that count as busy are not in use.
func (c *Core) setSlack(cores int) { c.slack = min(max(0, cores), c.busy) }

// inUse is how many cores runs use.
func (c *Core) inUse() int { return c.busy - c.slack }

// overlent tells whether too much has been started in the place of what waits: children only may start now.
func (c *Core) overlent() bool { return c.slack > 0 && c.busy-c.cores >= maxLent*c.cores }

// free is how many cores are there for any task.
func (c *Core) free() int {
	if c.overlent() || c.collects() {
		return 0
	}
	return max(0, c.cores-c.inUse())
}

// fits tells whether a task's cores and memory are free now. A task wider than the machine
// runs when nothing else uses the machine.
func (c *Core) fits(t *Terms) bool {
	if c.reservedFrom(t) || !c.memoryFree(t) || c.overlent() && !t.Child {
		return false
	}
	return c.inUse()+min(t.Needs.CoresOrOne(), max(1, c.cores)) <= c.cores || c.inUse() == 0
}

// startChild starts a task of a job of ours that runs may wait for, if there is one.
func (c *Core) startChild() bool {
	for _, j := range c.children {
		if j.tenant == nil || !j.queued() {
			continue
		}
		if started, _ := c.startOf(j.tenant); started {
			return true
		}
	}
	return false
}

// startHeldChild does so for what is held for peers.
func (c *Core) startHeldChild() bool {
	for _, u := range c.upOrder {
		for _, h := range u.order {
			if h.terms.Child && h.tenant != nil && h.hasUnstarted() {
				if started, _ := c.startOf(h.tenant); started {
					return true
				}
			}
		}
	}
	return false
}

// childFirst starts a child in the place of other work of the owner's, whose turn it is; peers' work keeps its turn.
func (c *Core) childFirst(x *tenant) bool {
	own := x.job != nil && !x.job.terms.Child || x.up != nil && x.up.guest != nil
	return own && len(c.children) > 0 && c.startChild()
}

// addChildren keeps the list of jobs that runs may wait for.
func (c *Core) addChildren(j *job) {
	if j.terms.Child {
		c.children = append(c.children, j)
	}
}
