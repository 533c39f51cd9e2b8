package core

import (
	"fmt"
	"iter"
	"slices"
	"time"
)

// storyKind is what happened to tasks.
type storyKind uint8

const (
	storyGranted storyKind = iota + 1
	storyStarted
	storyEnded
	storyFailed
	storyRefused
	storyAdopted
	storyCommitted
	storyCancelled
	storyPaused
	storyResumed
	storyLent
)

func (k storyKind) String() string {
	return [...]string{"-", "granted to", "started at", "ended at", "failed at", "refused by", "adopted from", "committed from", "cancelled", "paused", "resumed", "lent on to"}[k]
}

// An entry is one line of a story. It is about a span, so that the story of a bag
// stays as short as what happened to it.
type entry struct {
	Span
	At      time.Duration
	Kind    storyKind
	Attempt Attempt
	Peer    PeerID
	Why     string
	Choice  Choice
}

// maxStory bounds what is told of one job; the oldest lines are forgotten first.
const maxStory = 1024

// A story is what home remembers for explain.
type story struct {
	most      int     // lines, if more than maxStory
	lines     []entry // a ring once it is full
	next      int
	forgotten uint64
	refusals  refusals
}

func (j *job) tell(c *Core, e entry) { j.story.tell(c.now, e) }

func (s *story) tell(now time.Duration, e entry) {
	e.At = now
	if len(s.lines) < max(maxStory, s.most) {
		s.lines = append(s.lines, e)
		return
	}
	s.lines[s.next] = e
	s.next = (s.next + 1) % len(s.lines)
	s.forgotten++
}

// of is what is told of a task, in order.
func (s *story) of(index uint64) (lines []Line) {
	for e := range s.all() {
		if e.Lo <= index && index < e.Hi {
			lines = append(lines, e.line())
		}
	}
	return lines
}

// all yields the entries in order.
func (s *story) all() iter.Seq[*entry] {
	return func(yield func(*entry) bool) {
		for k := range s.lines {
			if !yield(&s.lines[(s.next+k)%len(s.lines)]) {
				return
			}
		}
	}
}

func (e *entry) line() Line {
	return Line{e.At, e.Kind.String(), e.Span, e.Attempt, e.Peer, e.Why, e.Choice}
}

// passing is what is remembered of jobs of other homes that were here: where parts of them were lent on to and what
// became of that, and who was refused them. What ran here is home's to tell.
type passing struct {
	by    map[JobID]*story
	order []JobID // as their stories began
}

// maxPassing bounds the jobs of others that are remembered, at up to 170 KB each. Most are here for a moment, and few
// lines are told of them.
const maxPassing = 64

// of returns the story of a job. If there are too many, the one that began first is forgotten, those that are here
// still come last.
func (p *passing) of(id JobID, here func(JobID) bool) *story {
	if s := p.by[id]; s != nil {
		return s
	}
	if p.by == nil {
		p.by = make(map[JobID]*story)
	}
	if len(p.order) == maxPassing {
		k := max(0, slices.IndexFunc(p.order, func(o JobID) bool { return !here(o) }))
		delete(p.by, p.order[k])
		p.order = slices.Delete(p.order, k, k+1)
	}
	s := new(story)
	p.by[id] = s
	p.order = append(p.order, id)
	return s
}

// passes is the story of another home's job.
func (c *Core) passes(id JobID) *story { return c.passing.of(id, c.holdsAny) }

// holdsAny tells whether anything of a job is held here.
func (c *Core) holdsAny(id JobID) bool {
	return slices.ContainsFunc(c.upOrder, func(u *uplink) bool { return u.held(id) != nil })
}

// pass tells of a piece of another home's job.
func (c *Core) pass(p Piece, kind storyKind, peer PeerID, why string, choice Choice) {
	c.passes(p.Job).tell(c.now, entry{Kind: kind, Span: p.Span, Attempt: p.Attempt, Peer: peer, Why: why, Choice: choice})
}

// note is for what concerns the node and no single job.
func (c *Core) note(format string, args ...any) {
	if c.cfg.Log != nil {
		c.cfg.Log(c.now, fmt.Sprintf(format, args...))
	}
}

// Holding tells whether this node holds any of a piece from a grantor, in whatever
// state: for tests that look at both ends of a channel.
func (c *Core) Holding(from PeerID, p Piece) bool {
	if u := c.ups[from]; u != nil {
		if h := u.held(p.Job); h != nil {
			for k := range h.slots {
				if _, ok := h.slots[k].meet(p.Span); ok && h.slots[k].attempt == p.Attempt {
					return true
				}
			}
		}
	}
	return false
}

// Entrusted tells whether this node, as grantor, counts any of a piece with a peer: for tests, too.
func (c *Core) Entrusted(to PeerID, p Piece) bool {
	d := c.downs[to]
	return d != nil && slices.ContainsFunc(d.jobs[p.Job], func(h hold) bool {
		_, ok := h.meet(p.Span)
		return ok && h.attempt == p.Attempt
	})
}

// Knows tells whether a job of this home is remembered.
func (c *Core) Knows(id JobID) bool { return c.jobs[id] != nil }

// Out counts the holds on a task of this home: how many attempts are live.
func (c *Core) Out(id JobID, index uint64) int {
	j := c.jobs[id]
	if j == nil {
		return 0
	}
	n, _ := j.holds.Get(index)
	return int(n)
}

// Held counts the tasks that this node holds for others.
func (c *Core) Held() (n uint64) {
	for _, u := range c.upOrder {
		for _, h := range u.order {
			for k := range h.slots {
				n += h.slots[k].Len()
			}
		}
	}
	return n
}

// Surplus is the estimated work that waits here, for load news.
func (c *Core) Surplus() time.Duration {
	_, sum, _ := c.surplus()
	return sum
}
