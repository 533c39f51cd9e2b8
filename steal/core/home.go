package core

import (
	"fmt"
	"slices"
	"time"
)

// taskState is where home has a task. Every index of a job is in exactly one state.
type taskState uint8

const (
	taskQueued taskState = iota + 1
	taskHeld             // at least one hold is out, or may be after a restart
	taskCommitted
)

// A job is home's record of a set of tasks.
type job struct {
	id    JobID
	terms Terms
	n     uint64

	state Spans[taskState]
	queue Spans[bool]  // what of state is queued
	holds Spans[uint8] // how many holds are out
	notes Spans[note]  // what went wrong so far; no run where nothing did

	attempts  uint32 // issued in this incarnation
	committed uint64
	out       uint64        // holds that are out, in tasks
	since     time.Duration // submitted, or restored
	grew      time.Duration // its last task came
	arrivals  arrivals

	cancelled, stopped, toldWho, done bool
	paused                            bool
	cancelledAt                       time.Duration
	unconfirmed                       []vanished
	unknown                           bool // an earlier incarnation may have granted what nobody confirmed

	story  story
	tenant *tenant // nil: nothing of it was to be started yet
	listed bool    // it is in core.queued
}

// A vanished piece was lost with its holder, which may still be running it.
type vanished struct {
	Span
	attempt Attempt
	peer    PeerID
}

// maxVanished bounds what is remembered for the answer to a cancel; beyond it the
// answer is "unconfirmed" without names.
const maxVanished = 1024

func (c *Core) addJob(id JobID, t Terms) *job {
	j := &job{id: id, terms: t, since: c.now, story: story{most: c.cfg.Story}}
	c.jobs[id] = j
	c.jobOrder = append(c.jobOrder, j)
	c.addChildren(j)
	return j
}

func (c *Core) submit(ev Submit) {
	c.jobCount++
	j := c.addJob(JobID{c.cfg.ID, c.cfg.Incarnation<<32 | c.jobCount}, ev.Terms)
	c.grow(j, ev.N)
	c.emit(Submitted{Ref: ev.Ref, Job: j.id, N: ev.N})
}

func (c *Core) extend(ev Extend) {
	if j := c.jobs[ev.Job]; j != nil && !j.cancelled && ev.N > 0 {
		j.done = false
		c.grow(j, ev.N)
	}
}

func (c *Core) grow(j *job, n uint64) {
	oldest := j.n
	for r := range j.queue.Runs() {
		oldest = r.Lo
		break
	}
	j.arrivals.add(c.now, j.n, oldest)
	j.put(Span{j.n, j.n + n}, taskQueued)
	j.n += n
	j.grew = c.now
	c.thief.mayHaveSurplus = true
	c.wakeJob(j)
}

// put moves tasks into a state.
func (j *job) put(s Span, to taskState) {
	j.state.Set(s, to)
	if to == taskQueued {
		j.queue.Set(s, true)
	} else {
		j.queue.Clear(s)
	}
}

// issue makes the next attempt of a job.
func (c *Core) issue(j *job) Attempt {
	j.attempts++
	return Attempt{Incarnation: c.cfg.Incarnation, N: j.attempts}
}

// putHold records that a piece is out.
func (c *Core) putHold(j *job, d *downlink, h hold) {
	d.add(j.id, h)
	c.countHold(j, h.Span)
}

func (c *Core) countHold(j *job, s Span) {
	j.holds.update(s, func(n uint8) uint8 { return n + 1 })
	j.out += s.Len()
	for _, r := range j.state.In(s) {
		if r.Value == taskQueued {
			j.put(r.Span, taskHeld)
		}
	}
}

// uncount is the other half: the hold is out of its downlink.
func (c *Core) uncount(j *job, s Span) {
	j.holds.update(s, func(n uint8) uint8 { return n - 1 })
	if j.out -= s.Len(); j.terms.Where.MaxRunning > 0 {
		c.thief.mayHaveSurplus = true
	}
	for _, r := range j.holds.In(s) {
		if r.Value == 0 {
			j.holds.Clear(r.Span)
		}
	}
}

// settle puts back into the queue what is held by nobody and has no outcome.
func (c *Core) settle(j *job, s Span) {
	for _, r := range j.state.In(s) {
		if r.Value != taskHeld {
			continue
		}
		var out []Span
		for _, h := range j.holds.In(r.Span) {
			out = append(out, h.Span)
		}
		for _, free := range r.Span.minus(out) {
			j.put(free, taskQueued)
			c.thief.mayHaveSurplus = true
			c.wakeJob(j)
		}
	}
}

// commit records the outcome of a span of which nothing is committed, and stops who has it still.
func (c *Core) commit(j *job, o Commit) {
	c.record(j, o)
	if len(j.holds.In(o.Piece.Span)) > 0 {
		c.dropHolds(j.id, o.Piece.Span)
	}
}

func (c *Core) record(j *job, o Commit) {
	for _, r := range j.state.In(o.Piece.Span) {
		if r.Value == taskCommitted {
			panic("core: " + o.Piece.String() + " is committed twice")
		}
	}
	j.put(o.Piece.Span, taskCommitted)
	j.committed += o.Piece.Len()
	c.emit(o)
	j.tell(c, entry{Kind: storyCommitted, Span: o.Piece.Span, Attempt: o.Piece.Attempt, Peer: o.Host, Why: o.ended()})
	if j.committed == j.n && !j.done {
		j.done = true
		c.emit(JobDone{j.id})
	}
}

// ended is what a task ended in, for people.
func (o *Commit) ended() string {
	text := o.State.String()
	if o.Exit != 0 {
		text += fmt.Sprintf(", exit %d", o.Exit)
	}
	if o.Reason != "" && o.Reason != text {
		text += ": " + o.Reason
	}
	return text
}

// dropHolds tells everybody who has something of a span that it is not wanted.
func (c *Core) dropHolds(id JobID, s Span) {
	for _, h := range c.local.held(id) {
		if _, ok := h.meet(s); ok {
			c.halt(Piece{id, h.Span, h.attempt})
		}
	}
	for _, d := range c.downList {
		for _, h := range d.held(id) {
			if both, ok := h.meet(s); ok && h.limbo == 0 {
				d.collect(&d.drops, Piece{id, both, h.attempt})
				if h.own {
					c.halt(Piece{id, h.Span, h.attempt})
				}
			}
		}
	}
}

// startOwn starts the next task of a job of our own on our own cores.
func (c *Core) startOwn(j *job) bool {
	spare := j.spare()
	if j.committed == j.n || spare == 0 || !c.fits(&j.terms) || c.barred(&j.terms) != "" {
		return false
	}
	for r := range j.queue.Runs() {
		s := Span{r.Lo, r.Lo + 1}
		susp := c.noteAt(j, r.Lo).suspect
		if !susp {
			s.Hi = r.Lo + c.chunkOf(&j.terms, min(spare, c.unsuspected(j, r.Span).Len()), ownChunk)
		}
		a := c.issue(j)
		c.putHold(j, c.local, hold{Span: s, attempt: a, suspect: susp, recorded: susp, known: true})
		p := Piece{j.id, s, a}
		j.tell(c, entry{Kind: storyStarted, Span: s, Attempt: a, Peer: c.cfg.ID, Why: "a core is free at home", Choice: Choice{Task: c.est.of(&j.terms)}})
		c.run(Run{Piece: p, Terms: j.terms, Suspect: susp}, j.arrived(r.Lo))
		return true
	}
	return false
}

// ranAtHome is the end of a run on our own cores of our own task.
func (c *Core) ranAtHome(ev Finished, o Outcome) {
	if c.jobs[ev.Piece.Job] == nil {
		return
	}
	d := c.holderOf(ev.Piece)
	if d == nil {
		d = c.local // part of it was taken away meanwhile
	}
	c.ranFor(d, ev, &o)
}

// homeClaim answers "I hold this", when home holds it to be otherwise or not.
func (c *Core) homeClaim(d *downlink, q *Claim) {
	j := c.jobs[q.Job]
	if j == nil { // gone: forgotten, or of an incarnation that had no journal
		switch q.State {
		case ClaimUnstarted, ClaimRunning, ClaimSub:
			d.collect(&d.drops, q.Piece)
		default:
			d.collect(&d.recordeds, q.Piece)
		}
		return
	}
	switch q.State {
	case ClaimEnded: // its outcome follows
		return
	case ClaimKilled, ClaimGoneUp:
		c.takeEnd(d, &End{Piece: q.Piece, Kind: EndKilled, Warrant: q.Warrant})
		return
	case ClaimLost:
		c.takeEnd(d, &End{Piece: q.Piece, Kind: EndLost, Warrant: q.Warrant})
		return
	}
	var mine []Span
	for _, h := range d.held(j.id) {
		if both, ok := h.meet(q.Span); ok && h.attempt == q.Attempt {
			mine = append(mine, both)
		}
	}
	for _, s := range mine {
		for _, part := range d.takeOut(j.id, s, func(h *hold) bool { return h.attempt == q.Attempt }) {
			part.limbo = 0
			d.add(j.id, part)
		}
		c.dropCommitted(j, d, Piece{j.id, s, q.Attempt})
	}
	for _, s := range q.Span.minus(mine) {
		c.claimElsewhere(j, d, q, s)
	}
}

// dropCommitted tells a holder to drop what of its piece has an outcome.
func (c *Core) dropCommitted(j *job, d *downlink, p Piece) {
	for _, r := range j.state.In(p.Span) {
		if r.Value == taskCommitted {
			d.collect(&d.drops, Piece{j.id, r.Span, p.Attempt})
		}
	}
}

// claimElsewhere decides about part s of a claim that home has no record of on
// this channel: an orphan, or a holder from before a restart.
func (c *Core) claimElsewhere(j *job, d *downlink, q *Claim, s Span) {
	var moved []Span
	for _, part := range c.local.takeOut(j.id, s, func(h *hold) bool { return h.own && h.attempt == q.Attempt && d.peer == c.cfg.Host }) {
		part.epoch, part.n = d.epoch, 0 // our node was silent, and lends us the core still
		d.add(j.id, part)
		moved = append(moved, part.Span)
	}
	for _, o := range c.downList {
		if o == d {
			continue
		}
		for _, h := range slices.Clone(o.held(j.id)) {
			both, ok := h.meet(s)
			if !ok || h.attempt != q.Attempt {
				continue
			}
			moved = append(moved, both)
			if q.State != ClaimRunning {
				d.collect(&d.drops, Piece{j.id, both, q.Attempt})
				continue
			}
			// The one who runs it is its holder now.
			for _, part := range o.takeOut(j.id, both, func(x *hold) bool { return x.attempt == q.Attempt }) {
				o.collect(&o.drops, Piece{j.id, part.Span, q.Attempt})
				part.epoch, part.n, part.limbo, part.known = d.epoch, 0, 0, true
				d.add(j.id, part)
				c.dropCommitted(j, d, Piece{j.id, part.Span, q.Attempt})
			}
		}
	}
	slices.SortFunc(moved, func(a, b Span) int { return int(a.Lo) - int(b.Lo) })
	for _, rest := range s.minus(moved) {
		c.adopt(j, d, q, rest)
	}
}

// adopt makes a claimed piece that is queued, or may be held since before a
// restart, held by who claims it. What is held by somebody else under another
// attempt is not wanted twice.
func (c *Core) adopt(j *job, d *downlink, q *Claim, s Span) {
	if !c.genuine(q.Piece, &q.Warrant) {
		c.stats.ForgedOutcomes++
		d.collect(&d.drops, Piece{j.id, s, q.Attempt})
		return
	}
	for _, g := range c.grace.takeOut(j.id, s, func(*hold) bool { return true }) {
		c.uncount(j, g.Span)
		c.settle(j, g.Span)
	}
	for _, r := range j.state.In(s) {
		p := Piece{j.id, r.Span, q.Attempt}
		// What a guest's node shows of an outcome is on its way out: we ran it ourselves.
		ended := r.Value == taskCommitted && q.State == ClaimRunning && d.peer == c.cfg.Host
		if r.Value == taskHeld || ended || c.hasFailed(j, p) {
			d.collect(&d.drops, p)
			continue
		}
		c.putHold(j, d, hold{Span: r.Span, attempt: q.Attempt, epoch: d.epoch, known: q.State != ClaimUnstarted, fences: j.terms.fences()})
		c.confirm(p)
		j.tell(c, entry{Kind: storyAdopted, Span: r.Span, Attempt: q.Attempt, Peer: d.peer, Why: "it came back with it"})
		if r.Value == taskCommitted {
			d.collect(&d.drops, p)
		}
	}
}

// hasFailed tells whether the failure of part of a piece was counted already: its
// outcome has overtaken, on the data stream, the set that still shows it.
func (c *Core) hasFailed(j *job, p Piece) bool {
	return slices.ContainsFunc(j.notes.In(p.Span), func(r Stretch[note]) bool { return r.Value.failed == p.Attempt })
}

// confirm forgets that the end of an attempt was not known.
func (c *Core) confirm(p Piece) {
	j := c.jobs[p.Job]
	if j == nil || len(j.unconfirmed) == 0 {
		return
	}
	var left []vanished
	for _, v := range j.unconfirmed {
		both, ok := v.meet(p.Span)
		if !ok || v.attempt != p.Attempt {
			left = append(left, v)
			continue
		}
		for _, rest := range v.Span.minus([]Span{both}) {
			v.Span = rest
			left = append(left, v)
		}
	}
	j.unconfirmed = left
	c.stoppedDue(j)
}

// startAsked records the start of a suspect and permits it.
func (c *Core) startAsked(d *downlink, p Piece) {
	j := c.jobs[p.Job]
	if j == nil {
		return
	}
	if st, _ := j.state.Get(p.Lo); st != taskHeld || p.Len() != 1 {
		return
	}
	for _, part := range d.takeOut(j.id, p.Span, func(h *hold) bool { return h.attempt == p.Attempt && h.limbo == 0 }) {
		part.recorded = true
		d.add(j.id, part)
		j.tell(c, entry{Kind: storyStarted, Span: part.Span, Attempt: p.Attempt, Peer: d.peer, Why: "suspect: its start is recorded"})
		d.send(c, StartOK{p})
	}
}

// forget ends the memory of a job that is done and that nobody holds.
func (c *Core) forget(id JobID) {
	if j := c.jobs[id]; j != nil && j.done && !c.stillHeld(id) {
		delete(c.jobs, id)
		c.jobOrder = slices.DeleteFunc(c.jobOrder, func(o *job) bool { return o == j })
		c.children = slices.DeleteFunc(c.children, func(o *job) bool { return o == j })
	}
}

// restore takes the journal's word for durable jobs. Whatever has no outcome may
// be held by somebody: it is held by grace for one lease.
func (c *Core) restore() {
	for _, r := range c.cfg.Restored {
		j := c.addJob(r.Job, r.Terms)
		j.n = r.N
		j.unknown = !r.Terms.fences()
		all := Span{0, r.N}
		if r.N > 0 {
			j.put(all, taskQueued)
		}
		for _, s := range r.Committed {
			j.put(s, taskCommitted)
		}
		j.committed = j.state.Count(taskCommitted)
		j.cancelled, j.cancelledAt = r.Cancelled, c.now
		for _, run := range j.state.In(all) {
			if run.Value == taskQueued {
				c.putHold(j, c.grace, hold{Span: run.Span})
			}
		}
		j.done = j.committed == j.n
		c.graceEnd = c.now + LeaseTTL
	}
}

func (c *Core) endGrace() {
	if c.graceEnd == 0 {
		return
	}
	if c.now < c.graceEnd {
		c.alarm(c.graceEnd)
		return
	}
	c.graceEnd = 0
	for _, id := range slices.Clone(c.grace.order) {
		j := c.jobs[id]
		for _, g := range c.grace.takeOut(id, Span{0, j.n}, func(*hold) bool { return true }) {
			c.uncount(j, g.Span)
			c.settle(j, g.Span)
		}
	}
}
