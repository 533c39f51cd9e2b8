package core

import (
	"slices"

	"github.com/filchsched/filch/exec/task"
)

// takeOutcome is an outcome as a holder reports it.
func (c *Core) takeOutcome(d *downlink, o *Outcome) {
	if d.covers(o.Piece) { // not what comes late, or again
		c.given.count(c.near.level(d.peer), d.peer, o)
	}
	if o.Job.Home == c.cfg.ID {
		d.collect(&d.recordeds, o.Piece)
		c.learnOf(d, o)
		c.homeOutcome(d, o)
	} else {
		c.middleOutcome(d, o)
	}
}

// homeOutcome commits. Success counts from any attempt that was ever granted,
// which the warrant proves; a failure counts only from a live one.
func (c *Core) homeOutcome(d *downlink, o *Outcome) {
	j := c.jobs[o.Job]
	if j == nil || o.Hi > j.n {
		return
	}
	onEdge := d.covers(o.Piece)
	if !onEdge && !c.genuine(o.Piece, &o.Warrant) {
		c.stats.ForgedOutcomes++
		return
	}
	c.confirm(o.Piece)
	live := c.endHolds(j, d, o.Piece, onEdge)
	failed := make([]Span, 0, len(o.Exceptions))
	for _, x := range o.Exceptions {
		if x.State != task.Done && x.Index >= o.Lo && x.Index < o.Hi {
			failed = append(failed, Span{x.Index, x.Index + 1})
			c.failed(j, d, o, &x, slices.ContainsFunc(live, func(s Span) bool { return s.Lo <= x.Index && x.Index < s.Hi }))
		}
	}
	slices.SortFunc(failed, func(a, b Span) int { return int(a.Lo) - int(b.Lo) })
	for _, ok := range o.Span.minus(failed) {
		c.succeeded(j, o, ok)
	}
	c.settle(j, o.Span)
	c.stoppedDue(j)
}

// endHolds ends whatever holds the attempt has, on whichever channel.
func (c *Core) endHolds(j *job, d *downlink, p Piece, onEdge bool) (live []Span) {
	take := func(d *downlink) {
		for _, part := range d.takeOut(j.id, p.Span, func(h *hold) bool { return h.attempt == p.Attempt }) {
			c.uncount(j, part.Span)
			live = append(live, part.Span)
		}
	}
	take(d)
	if !onEdge {
		for _, other := range c.downList {
			take(other)
		}
		for _, g := range c.grace.takeOut(j.id, p.Span, func(*hold) bool { return true }) {
			c.uncount(j, g.Span) // who had it since before the restart has come back
		}
	}
	return live
}

func (c *Core) succeeded(j *job, o *Outcome, s Span) {
	for _, r := range j.state.In(s) {
		if r.Value == taskCommitted {
			c.stats.DuplicateOutcomes += r.Len()
			continue
		}
		done := Commit{Piece: Piece{j.id, r.Span, o.Attempt}, State: task.Done, Host: o.Host, Ran: o.Ran}
		if len(o.Values) == int(o.Len()) {
			done.Values = o.Values[r.Lo-o.Lo : r.Hi-o.Lo]
		}
		c.commit(j, done)
	}
}

// failed decides what one failure means.
func (c *Core) failed(j *job, d *downlink, o *Outcome, x *Exception, live bool) {
	one := Span{x.Index, x.Index + 1}
	st, _ := j.state.Get(x.Index)
	others, _ := j.holds.Get(x.Index)
	if live && others == 0 && st != taskCommitted {
		c.charge(j, x.Index, func(n *note) bool { n.failed = o.Attempt; return false })
	}
	switch {
	case st == taskCommitted:
		c.stats.DuplicateOutcomes++
	case !live || others > 0: // another attempt may still succeed
		j.tell(c, entry{Kind: storyFailed, Span: one, Attempt: o.Attempt, Peer: o.Host, Why: "does not count: " + x.Reason})
	case x.Smell && c.smells(j, d, x.Index):
		d.refuse(c, Piece{j.id, one, o.Attempt}, reasonSmell)
		j.tell(c, entry{Kind: storyRefused, Span: one, Attempt: o.Attempt, Peer: o.Host, Why: reasonSmell + ": " + x.Reason})
	case c.charge(j, x.Index, func(n *note) bool { n.fails++; return n.fails > j.terms.Retries }):
		end := Commit{Piece: Piece{j.id, one, o.Attempt}, State: task.Failed, Exit: x.Exit, Reason: x.Reason, Host: o.Host, Ran: o.Ran}
		if len(o.Values) == int(o.Len()) { // a command that fails has printed something, too
			end.Values = o.Values[x.Index-o.Lo : x.Index-o.Lo+1]
		}
		c.commit(j, end)
	default:
		j.tell(c, entry{Kind: storyFailed, Span: one, Attempt: o.Attempt, Peer: o.Host, Why: "is tried again: " + x.Reason})
	}
}

// homeEnded is the end of a hold without an outcome.
func (c *Core) homeEnded(d *downlink, p Piece, h hold, how EndKind, refused string) {
	j := c.jobs[p.Job]
	if j == nil {
		return
	}
	if h.own { // whatever the node says or does: it runs here
		h.Span, h.limbo = p.Span, 0
		c.local.add(p.Job, h)
		return
	}
	c.uncount(j, p.Span)
	why := refused
	if how == EndLost {
		c.lost(j, d, p, h)
		why = "its lease is over, or its holder is another now"
	}
	if refused != "" {
		j.story.refusals.count(d.peer, refused, p.Len())
	}
	if refused == reasonBusyHere {
		c.runsBelow(p, d.peer)
	}
	c.settle(j, p.Span)
	j.tell(c, entry{Kind: storyEnded, Span: p.Span, Attempt: p.Attempt, Peer: d.peer, Why: how.String() + " " + why})
	c.stoppedDue(j)
}
