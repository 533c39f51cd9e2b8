package core

import (
	"fmt"
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
)

func (k storyKind) String() string {
	return [...]string{"-", "granted to", "started at", "ended at", "failed at", "refused by", "adopted from", "committed from", "cancelled", "paused", "resumed"}[k]
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
	lines     []entry // a ring once it is full
	next      int
	forgotten uint64
	refusals  refusals
}

func (j *job) tell(c *Core, e entry) {
	e.At = c.now
	s := &j.story
	if len(s.lines) < maxStory {
		s.lines = append(s.lines, e)
		return
	}
	s.lines[s.next] = e
	s.next = (s.next + 1) % maxStory
	s.forgotten++
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
