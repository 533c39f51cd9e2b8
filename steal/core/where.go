package core

import "slices"

// This file is about where tasks may run: what a job says (Where), and what a
// process can run at all.

// Reasons of Where, counted and shown like the others.
const (
	reasonLocal    = "the job stays on its home's machine"
	reasonOn       = "not among the peers that the job names"
	reasonAvoid    = "the job avoids this peer"
	reasonFunction = "does not know this function"
	reasonPaused   = "the job is paused"
	reasonFull     = "as many run as the job allows"
	reasonProving  = "has not answered yet whether it has the directory"
	reasonGuest    = "its home is a guest here, and lends us its tasks itself"
	reasonSooner   = "it starts here sooner than it could there"
	reasonNoDir    = "does not have the directory"
)

// excludes says why a peer with these labels is not to run a job's tasks; empty
// when it may.
func (w *Where) excludes(p PeerID, labels []string) string {
	switch {
	case len(w.On) > 0 && !slices.Contains(w.On, p):
		return reasonOn
	case slices.Contains(w.Avoid, p):
		return reasonAvoid
	case !hasAll(labels, w.Require):
		return reasonLabel
	}
	return ""
}

// hasAll tells whether a peer's labels are all that a job requires.
func hasAll(labels, required []string) bool {
	return !slices.ContainsFunc(required, func(r string) bool { return !slices.Contains(labels, r) })
}

// barred says why tasks of this process or of a guest of it, which bring along
// what runs them, cannot start on this process's cores.
func (c *Core) barred(t *Terms) string {
	if why := t.Where.excludes(c.cfg.ID, c.cfg.Labels); why != "" {
		return why
	}
	if c.cfg.Memory > 0 && t.Needs.Memory > c.cfg.Memory {
		return reasonMemory
	}
	return ""
}

// unable says why tasks of another home cannot run in this process.
func (c *Core) unable(t *Terms) string {
	switch {
	case t.Where.Local:
		return reasonLocal
	case !slices.Contains(c.cfg.Kinds, t.Kind):
		return reasonKind
	case !knows(c.functions, t):
		return reasonFunction
	}
	return c.barred(t)
}

// unable says why whoever made an offer cannot run tasks of a job.
func (o *Offer) unable(p PeerID, t *Terms) string {
	switch {
	case t.Where.Local:
		return reasonLocal
	case !slices.Contains(o.Kinds, t.Kind):
		return reasonKind
	case !knows(o.Functions, t):
		return reasonFunction
	case o.Memory > 0 && t.Needs.Memory > o.Memory:
		return reasonMemory
	}
	return t.Where.excludes(p, o.Labels)
}

// spare is how many of a job's queued tasks may leave the queue now.
func (j *job) spare() uint64 {
	switch most := uint64(j.terms.Where.MaxRunning); {
	case j.paused:
		return 0
	case most == 0:
		return 1<<64 - 1
	default:
		return most - min(most, j.out)
	}
}

// pause holds a job back, or lets it go on. What runs runs on.
func (c *Core) pause(ev PauseJob) {
	j := c.jobs[ev.Job]
	if j == nil || j.paused == ev.On {
		return
	}
	j.paused = ev.On
	if ev.On {
		j.tell(c, entry{Kind: storyPaused, Span: Span{0, j.n}})
		c.recall(j.id, Span{0, j.n})
		return
	}
	j.tell(c, entry{Kind: storyResumed, Span: Span{0, j.n}})
	c.thief.mayHaveSurplus = true
}
