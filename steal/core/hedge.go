package core

import (
	"slices"
	"time"
)

// This file is about the end of a job: a task that takes much longer than others of
// its function may sit on a machine that is slow or about to vanish. When the job
// has nothing queued and somebody offers room, a second attempt goes there; the first
// outcome counts. (The tail at scale: Dean and Barroso, CACM 2013.) Only what may
// run twice is hedged: functions, and commands that are declared idempotent.

const (
	hedgeEvery = 500 * time.Millisecond // between two looks while somebody waits here
	hedgeMin   = 2 * time.Second        // nothing is slow before
	hedgeP90s  = 3                      // nor before so many times what nine of ten take
	hedgePart  = 20                     // of the job's tasks one in so many has two attempts at most
	hedgeKnown = 5                      // samples without which nobody knows what is slow
)

// hedgeSoon has slow tasks looked for while somebody waits for work.
func (c *Core) hedgeSoon() {
	if c.hedgeAt == never {
		c.hedgeAt = c.now + hedgeEvery
	}
	c.alarm(c.hedgeAt)
}

func (c *Core) hedgeDue() {
	if c.hedgeAt == never {
		return
	}
	if c.now < c.hedgeAt {
		c.alarm(c.hedgeAt)
		return
	}
	c.hedgeAt = never
	may := false
	for _, j := range c.jobOrder {
		if c.mayHedge(j) {
			may = true
			c.hedgeJob(j)
		}
	}
	if may {
		c.hedgeSoon()
	}
}

// mayHedge tells whether a job's end may come to wait for its slow tasks.
func (c *Core) mayHedge(j *job) bool {
	return !j.done && !j.paused && j.committed < j.n && !j.queued() && !j.terms.single() && !j.terms.Where.Local && c.est.known(j.terms.Name) >= hedgeKnown
}

// hedgeJob grants second attempts of a job's slow tasks to those who wait here.
func (c *Core) hedgeJob(j *job) {
	slow := max(hedgeP90s*c.est.p90(j.terms.Name), hedgeMin)
	left := int(max(1, j.n/hedgePart)) - j.doubled()
	for _, holder := range c.downList {
		for _, h := range holder.held(j.id) {
			if h.limbo != 0 || h.own || c.now-h.since < slow {
				continue
			}
			for i := h.Lo; i < h.Hi && left > 0; i++ {
				if st, _ := j.state.Get(i); st == taskHeld && c.hedgeOne(j, i, holder, h.below) {
					left--
				}
			}
		}
	}
}

// hedgeOne finds the nearest peer that waits here and can take a second attempt. below have the first.
func (c *Core) hedgeOne(j *job, i uint64, holder *downlink, below []PeerID) bool {
	var best *downlink
	for _, d := range c.offering { // all that wait are among them
		if d != holder && d.waits() && !slices.Contains(below, d.peer) && (best == nil || d.level < best.level) && c.mayHedgeAt(j, i, d) {
			best = d
		}
	}
	if best == nil {
		return false
	}
	offer := best.offers[0].N
	best.offers = nil
	c.grantHedge(j, i, best, offer)
	return true
}

// doubled counts the tasks of which more than one attempt is out.
func (j *job) doubled() (n int) {
	for _, r := range j.holds.In(Span{0, j.n}) {
		if r.Value > 1 {
			n += int(r.Len())
		}
	}
	return n
}

// hedge is a second attempt that somebody outside asks for.
func (c *Core) hedge(ev HedgeTask) {
	if j, d := c.jobs[ev.Job], c.downs[ev.Peer]; j != nil && d != nil && d.open && !d.cut && c.mayHedgeAt(j, ev.Index, d) {
		c.grantHedge(j, ev.Index, d, 0)
	}
}

// mayHedgeAt tells whether a task has one attempt out, and a second one may go to a peer.
func (c *Core) mayHedgeAt(j *job, i uint64, d *downlink) bool {
	one := Span{i, i + 1}
	st, _ := j.state.Get(i)
	out, _ := j.holds.Get(i)
	if st != taskHeld || out != 1 || j.terms.single() || j.paused || j.spare() == 0 || c.noteAt(j, i).suspect || len(c.grace.held(j.id)) > 0 || d.refused(c.now, j.id, one) {
		return false
	}
	if slices.ContainsFunc(d.held(j.id), func(h hold) bool { _, ok := h.meet(one); return ok }) {
		return false
	}
	return d.peer != c.cfg.Host && d.last.unable(d.peer, &j.terms) == "" && c.dirOf(d, j.id, &j.terms) == ""
}

func (c *Core) grantHedge(j *job, i uint64, d *downlink, offer uint64) {
	one := Span{i, i + 1}
	a := c.issue(j)
	p := Part{Piece: Piece{j.id, one, a}, Terms: j.terms, Warrant: c.issueWarrant(j.id, one, a, d.peer), Depth: 1}
	c.countHold(j, one)
	j.tell(c, entry{Kind: storyGranted, Span: one, Attempt: a, Peer: d.peer, Why: "a hedge: the first attempt is slow"})
	c.grant(d, offer, []Part{p}, []hold{{Span: one, attempt: a, fences: j.terms.fences()}}, 0)
}

// runsBelow remembers that a peer has a task already, which another has lent on to it: as long as that
// attempt lives there is no point in asking the peer to take a second one.
func (c *Core) runsBelow(p Piece, peer PeerID) {
	for _, d := range c.downList {
		if d.peer == peer || !slices.ContainsFunc(d.held(p.Job), func(h hold) bool { _, ok := h.meet(p.Span); return ok }) {
			continue
		}
		for _, part := range d.takeOut(p.Job, p.Span, func(*hold) bool { return true }) {
			part.below = append(slices.Clip(part.below), peer)
			d.add(p.Job, part)
		}
	}
}
