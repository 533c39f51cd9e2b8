package core

import (
	"github.com/filchsched/filch/exec/task"
)

// A note is what went wrong with a task so far. There are two budgets: failures,
// which the task itself reports, and charged losses. Nothing that never started
// costs anything.
type note struct {
	fails   uint8
	losses  uint8   // of a start that was recorded
	smells  uint8   // failures that were put down to the peer
	failed  Attempt // the last one whose failure was counted: a set that was sent before it may come after it
	suspect bool    // lost once with an unknown start: it may be what kills its holders
}

// maxSmells is how many peers may be blamed for a task before it is the task.
const maxSmells = 3

func (c *Core) noteAt(j *job, i uint64) note {
	n, _ := j.notes.Get(i)
	return n
}

// unsuspected is the first part of s that holds no suspect.
func (c *Core) unsuspected(j *job, s Span) Span {
	for _, r := range j.notes.In(s) {
		if r.Value.suspect {
			s.Hi = r.Lo
			break
		}
	}
	return s
}

// charge changes the note of a task and returns what f says.
func (c *Core) charge(j *job, i uint64, f func(*note) bool) (over bool) {
	n := c.noteAt(j, i)
	over = f(&n)
	j.notes.Set(Span{i, i + 1}, n)
	return over
}

// smells tells whether a failure is put down to the peer instead of the task.
// Failures at home never are.
func (c *Core) smells(j *job, d *downlink, i uint64) bool {
	if d == c.local {
		return false
	}
	return c.charge(j, i, func(n *note) bool { n.smells++; return n.smells <= maxSmells })
}

// lost ends an attempt whose holder vanished. Whether it had started is not
// known, unless it was a suspect's, whose start home records.
func (c *Core) lost(j *job, d *downlink, p Piece, h hold) {
	if !j.terms.fences() && (!h.suspect || h.recorded) {
		if len(j.unconfirmed) < maxVanished {
			j.unconfirmed = append(j.unconfirmed, vanished{p.Span, p.Attempt, d.peer})
		} else {
			j.unknown = true
		}
	}
	for _, r := range j.state.In(p.Span) {
		if r.Value == taskCommitted {
			continue
		}
		var out []Span
		for _, o := range j.holds.In(r.Span) {
			out = append(out, o.Span)
		}
		if !h.suspect { // also beside another attempt, or hedges would kill one peer after the other
			for _, s := range out {
				j.notes.update(s, func(n note) note { n.suspect = true; return n })
			}
		}
		for _, s := range r.Span.minus(out) {
			c.lostSpan(j, d.peer, p.Attempt, s, h)
		}
	}
}

func (c *Core) lostSpan(j *job, from PeerID, a Attempt, s Span, h hold) {
	if !h.suspect {
		j.notes.update(s, func(n note) note { n.suspect = true; return n })
		return
	}
	if !h.recorded {
		return // it never started
	}
	for i := s.Lo; i < s.Hi; i++ { // suspects are granted alone: once
		if c.charge(j, i, func(n *note) bool { n.losses++; return n.losses >= j.terms.crashLimit() }) {
			c.commit(j, Commit{Piece: Piece{j.id, Span{i, i + 1}, a}, State: task.Failed, Reason: reasonCrashLimit, Host: from})
		}
	}
}

const reasonCrashLimit = "crash-limit"
