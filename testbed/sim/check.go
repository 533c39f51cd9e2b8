package sim

import (
	"fmt"
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal/core"
)

// A checker watches everything that the nodes do, from outside.
type checker struct {
	w      *world
	jobs   map[core.JobID]*fate
	order  []*fate
	proofs map[proofKey]bool // that were sent
	broken string            // the first promise that was broken
	about  core.JobID
	index  uint64
}

// A fate is what the checker knows about a job.
type fate struct {
	id        core.JobID
	home      *node
	life      int // of the home that submitted it
	terms     core.Terms
	tasks     []taskFate
	accepted  bool // cancel
	stopped   bool
	paused    bool
	done      bool
	cancelled time.Duration
}

type taskFate struct {
	committed task.State
	ran       map[core.Attempt]bool
	now       []*execution
	good      int // ended well somewhere
	bad       int // failed somewhere, by itself
	starts    int // recorded starts as a suspect
	allowed   map[core.Attempt]bool
	suspects  map[core.Attempt]bool // granted as such by home
	givenUp   bool                  // cancelled by itself
	hedged    bool                  // home gave it to a second peer by itself
}

func (c *checker) breaks(format string, args ...any) {
	if c.broken == "" {
		c.broken = fmt.Sprintf(format, args...)
		c.w.logf("BROKEN %s", c.broken)
	}
}

// blame breaks a promise about one task, whose story is told.
func (c *checker) blame(f *fate, i uint64, format string, args ...any) {
	if c.broken == "" {
		c.about, c.index = f.id, i
	}
	c.breaks(format, args...)
}

func (c *checker) fate(id core.JobID) *fate {
	f := c.jobs[id]
	if f == nil {
		b := c.w.tasks[id]
		f = &fate{id: id, home: b.home, life: b.home.life, terms: b.terms}
		for range b.natures {
			f.grow()
		}
		c.jobs[id] = f
		c.order = append(c.order, f)
	}
	return f
}

// grow adds a task.
func (f *fate) grow() {
	f.tasks = append(f.tasks, taskFate{ran: make(map[core.Attempt]bool), allowed: make(map[core.Attempt]bool), suspects: make(map[core.Attempt]bool)})
}

// lost tells whether the job died with its home, which had no journal of it.
func (f *fate) lost() bool {
	return f.home.life != f.life && (f.home.disk == nil || !f.terms.Durable)
}

// starts is the moment an attempt begins to run.
func (c *checker) starts(x *execution, b *batch) {
	f := c.fate(b.job)
	if x.n == f.home {
		c.unwanted(f, x.Piece.Span, "starts at home")
	}
	for i := x.Piece.Lo; i < x.Piece.Hi; i++ {
		t := &f.tasks[i]
		if f.stopped && !f.lost() {
			c.blame(f, i, "stopped: task %d of %v starts at %s after Stopped", i, f.id, x.n.name)
		}
		if t.ran[x.Piece.Attempt] {
			c.blame(f, i, "attempt: %v runs twice, now at %s", x.Piece, x.n.name)
		}
		if len(t.ran) > 0 && c.w.faults == 0 && t.bad == 0 && !b.hedged && !t.hedged && b.natures[i].smells == "" {
			c.blame(f, i, "calm: task %d of %v runs again at %s, and nothing had happened", i, f.id, x.n.name)
		}
		t.ran[x.Piece.Attempt] = true
		if f.paused && x.n == f.home {
			c.blame(f, i, "paused: task %d of %v starts at home while the job is paused", i, f.id)
		}
		if why := c.wrong(f, x.n); why != "" && !(x.n == f.home && f.home.hosted) {
			c.blame(f, i, "where: task %d of %v runs at %s, which %s", i, f.id, x.n.name, why)
		}
		for _, o := range t.now {
			if f.terms.Kind == task.KindProc && !f.terms.Keep && !f.terms.Idempotent && !o.paused {
				c.blame(f, i, "copies: command %d of %v starts at %s while a copy runs at %s", i, f.id, x.n.name, o.n.name)
			}
		}
		if x.Suspect && x.n != f.home && !t.allowed[x.Piece.Attempt] {
			c.blame(f, i, "suspect: %v starts at %s without a record", x.Piece, x.n.name)
		}
		if x.Suspect && x.n == f.home {
			t.starts++
		}
		t.now = append(t.now, x)
	}
}

// ended is the end of an execution: its processes are gone.
func (c *checker) ended(x *execution, b *batch, _ bool) {
	f := c.fate(b.job)
	if c.w.forNothing(x) {
		c.w.freed = c.w.now
	}
	for i := x.Piece.Lo; i < x.Piece.Hi; i++ {
		t := &f.tasks[i]
		for k, o := range t.now {
			if o == x {
				t.now = append(t.now[:k:k], t.now[k+1:]...)
				break
			}
		}
	}
}

func (c *checker) succeededOnce(id core.JobID, i uint64) { c.fate(id).tasks[i].good++ }
func (c *checker) failedOnce(id core.JobID, i uint64)    { c.fate(id).tasks[i].bad++ }

// saw judges an effect of a node.
func (c *checker) saw(n *node, e core.Effect) {
	switch e := e.(type) {
	case core.Commit:
		f := c.fate(e.Piece.Job)
		for i := e.Piece.Lo; i < e.Piece.Hi; i++ {
			c.commits(f, i, &e)
			if e.State == task.Failed && e.Reason != "crash-limit" && n.core.Out(f.id, i) > 0 {
				c.blame(f, i, "live: task %d of %v has failed while another attempt is live", i, f.id)
			}
		}
	case core.JobDone:
		f := c.fate(e.Job)
		f.done = true
		for i := range f.tasks {
			if f.tasks[i].committed == 0 {
				c.blame(f, uint64(i), "lost: %v is done without task %d", f.id, i)
			}
		}
	case core.CancelAccepted:
		f := c.fate(e.Job)
		f.accepted = true
		if n.life == f.life && f.cancelled == 0 {
			f.cancelled = c.w.now
		}
	case core.Stopped:
		f := c.fate(e.Job)
		f.stopped = true
		for i := range f.tasks {
			for _, x := range f.tasks[i].now {
				if f.terms.Keep || x.Terms.Kind == task.KindFunc || !x.paused {
					c.blame(f, uint64(i), "stopped: %v is stopped, but %v runs at %s", f.id, x.Piece, x.n.name)
				}
			}
		}
	case core.Took:
		if p := c.w.find(e.Peer); p != nil && p.alive && p.core.Holding(n.id, e.Piece) && !p.liar {
			c.blame(c.fate(e.Piece.Job), e.Piece.Lo, "taken: %s takes %v back, which %s holds", n.name, e.Piece, p.name)
		}
	}
}

func (c *checker) commits(f *fate, i uint64, e *core.Commit) {
	t := &f.tasks[i]
	switch {
	case t.committed != 0:
		c.blame(f, i, "once: task %d of %v is committed %v, and was %v", i, f.id, e.State, t.committed)
	case f.accepted && e.State != task.Cancelled:
		c.blame(f, i, "cancel: task %d of %v is committed %v after its cancel was accepted", i, f.id, e.State)
	case e.State == task.Done && t.good == 0:
		c.blame(f, i, "forged: task %d of %v is committed, and never ran to its end", i, f.id)
	case e.State == task.Failed && e.Reason == "crash-limit" && t.starts < 5:
		c.blame(f, i, "charge: task %d of %v has failed by crash-limit after %d recorded starts", i, f.id, t.starts)
	case e.State == task.Failed && e.Reason != "crash-limit" && t.bad <= int(f.terms.Retries) && c.w.tasks[f.id].natures[i].smells == "":
		c.blame(f, i, "retries: task %d of %v has failed after %d failures, with %d retries", i, f.id, t.bad, f.terms.Retries)
	}
	t.committed = e.State
}

// sent judges a frame.
func (c *checker) sent(from, to *node, e core.Send) {
	switch m := e.Frame.Msg.(type) {
	case core.Grant:
		for _, p := range m.Parts {
			f := c.fate(p.Job)
			c.granted(from, to, e.Frame.Epoch, &p)
			c.bounded(f, from)
			c.hedged(f, from, &p)
			if from == f.home {
				c.unwanted(f, p.Span, "is granted to "+to.name)
			}
			if f.paused && from == f.home {
				c.blame(f, p.Lo, "paused: %v is granted to %s while the job is paused", p.Piece, to.name)
			}
			if f.accepted && from == f.home && !f.lost() {
				c.blame(f, p.Lo, "cancel: %v is granted to %s after the cancel was accepted", p.Piece, to.name)
			}
			if p.Suspect && (len(m.Parts) > 1 || p.Len() > 1) {
				c.blame(f, p.Lo, "suspect: %v is not granted alone", p.Piece)
			}
			if p.Suspect {
				f.tasks[p.Lo].suspects[p.Attempt] = true
			}
			if from != f.home && f.tasks[p.Lo].suspects[p.Attempt] {
				c.blame(f, p.Lo, "suspect: %v is granted by %s, which is not its home", p.Piece, from.name)
			}
			if p.Depth > 4 {
				c.blame(f, p.Lo, "depth: %v is lent on for the %dth time", p.Piece, p.Depth)
			}
		}
	case core.Proof:
		if m.Refused == "" {
			c.proofs[proofKey{from, to, e.Frame.Epoch, m.Job}] = true
		}
	case core.StartOK:
		f := c.fate(m.Piece.Job)
		t := &f.tasks[m.Piece.Lo]
		t.allowed[m.Piece.Attempt] = true
		t.starts++
	}
}

// unfinished is a job with a task that should have its outcome by now.
func (c *checker) unfinished() (f *fate, i uint64, any bool) {
	for _, f := range c.order {
		if f.lost() {
			continue
		}
		for i := range f.tasks {
			if f.tasks[i].committed == 0 {
				return f, uint64(i), true
			}
		}
	}
	return nil, 0, false
}
