package core

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// This file is what people ask about a task: where it is, where it was, why there,
// and why it waits.

// A Story is what a process knows about one task. Home knows most; a node that
// holds a task for others, or did so lately, knows where it sent it on and who did not want it.
type Story struct {
	Job      JobID
	Index    uint64
	Home     bool   // this process is its home, and remembers the job
	State    string // at home: queued, held or committed; else unknown
	Lines    []Line // what happened, in order
	Older    uint64 // lines of the job that were forgotten
	Attempts []Live // that are out now
	Refusals []RefusalCount
	Waits    []string // why it does not run now; empty unless it is queued
	// Failures counts against the retries, Losses against the crash limit; Blamed are
	// failures that were put down to the peer.
	Failures, Losses, Blamed int
	Suspect                  bool // it was lost once with an unknown start, and is granted alone
}

// A Line is one thing that happened to some tasks of a job.
type Line struct {
	At      time.Duration // in the time of this process's Step
	What    string        // such as "granted to"
	Span    Span          // that it happened to
	Attempt Attempt
	Peer    PeerID
	Why     string
	Choice  Choice // of a grant to a peer
}

// A Choice is what was expected when it was decided where a task goes.
type Choice struct {
	Level    uint8         // of the peer: smaller is nearer
	Here     time.Duration // until the last of what waits here would start here
	Queue    time.Duration // until a core is free there
	Transfer time.Duration // of the grant, and of what the task is
	Task     time.Duration // what it takes to run
	Return   time.Duration // of the outcome
	Age      time.Duration // of what the peer had said of its room
}

// There is how long it was expected to take until the task starts there.
func (c *Choice) There() time.Duration { return c.Queue + c.Transfer }

// String is the choice for people.
func (c Choice) String() string {
	round := func(d time.Duration) time.Duration { return d.Round(time.Microsecond) }
	if c.There() == 0 {
		return fmt.Sprintf("a task takes %v", round(c.Task)) // it starts here, now
	}
	return fmt.Sprintf("a task takes %v; here it starts in %v, there in %v (queue %v, transfer %v), return %v; level %d, its offer was %v old",
		round(c.Task), round(c.Here), round(c.There()), round(c.Queue), round(c.Transfer), round(c.Return), c.Level, round(c.Age))
}

// A Live attempt is one that is out.
type Live struct {
	Peer    PeerID // that was granted it; empty: unknown, since before a restart
	Attempt Attempt
	State   string // such as "granted", "started"; of a task that is held here for another home, its state here
	To      PeerID // that it was lent on to, if that is known here
}

// A RefusalCount says how often a peer did not get, or did not want, tasks of the
// job. One that asks ten times for a hundred tasks counts a thousand.
type RefusalCount struct {
	Peer   PeerID // empty: several that are too many to tell apart
	Reason string
	Tasks  uint64
}

// ExplainTask tells what is known here about a task. It costs the length of its job's story.
func (c *Core) ExplainTask(id JobID, index uint64) Story {
	s := Story{Job: id, Index: index, State: "unknown"}
	c.explainHeld(&s)
	j := c.jobs[id]
	if j == nil {
		return s
	}
	s.Home, s.Older = true, j.story.forgotten
	st, _ := j.state.Get(index)
	s.State = [...]string{"unknown", "queued", "held", "committed"}[st]
	s.Lines = append(s.Lines, j.story.of(index)...)
	n := c.noteAt(j, index)
	s.Failures, s.Losses, s.Blamed, s.Suspect = int(n.fails), int(n.losses), int(n.smells), n.suspect
	for _, d := range slices.Concat([]*downlink{c.local, c.grace}, c.downList) {
		for _, h := range d.held(id) {
			if h.Lo <= index && index < h.Hi {
				l := Live{Peer: d.peer, Attempt: h.attempt, State: "granted"}
				if h.known || h.recorded {
					l.State = "started"
				}
				s.Attempts = append(s.Attempts, l)
			}
		}
	}
	s.Refusals = append(s.Refusals, j.story.refusals.list()...)
	if st == taskQueued {
		s.Waits = c.waits(j)
	}
	return s
}

// A JobStory is all that is remembered of a job of ours.
type JobStory struct {
	Tasks    uint64
	Lines    []Line
	Older    uint64 // lines that were forgotten
	Refusals []RefusalCount
}

// Tasks is how many tasks a job of ours has; 0 for any other.
func (c *Core) Tasks(id JobID) uint64 {
	if j := c.jobs[id]; j != nil {
		return j.n
	}
	return 0
}

// ExplainJob tells all that is remembered of a job of ours; ok is false if it is none. It costs the length of its story.
func (c *Core) ExplainJob(id JobID) (s JobStory, ok bool) {
	j := c.jobs[id]
	if j == nil {
		return s, false
	}
	s = JobStory{Tasks: j.n, Older: j.story.forgotten, Refusals: j.story.refusals.list()}
	for e := range j.story.all() {
		s.Lines = append(s.Lines, e.line())
	}
	return s, true
}

// explainHeld tells what is here of a task that is held for another home.
func (c *Core) explainHeld(s *Story) {
	if p := c.passing.by[s.Job]; p != nil {
		s.Lines, s.Older = append(s.Lines, p.of(s.Index)...), p.forgotten
		s.Refusals = append(s.Refusals, p.refusals.list()...)
	}
	for _, u := range c.upOrder {
		h := u.held(s.Job)
		if h == nil {
			continue
		}
		if k := h.find(s.Index); k < len(h.slots) && h.slots[k].Lo <= s.Index {
			q := &h.slots[k]
			s.Attempts = append(s.Attempts, Live{Peer: c.cfg.ID, Attempt: q.attempt, State: q.state.String(), To: q.to})
			if q.state == ClaimUnstarted {
				s.Waits = append(s.Waits, c.heldWaits(u, h, q)...)
			}
		}
	}
}

// heldWaits says why what is held here for another home has not started.
func (c *Core) heldWaits(u *uplink, h *heldJob, q *slot) (why []string) {
	switch g := u.guest; {
	case g != nil && g.most > 0 && g.runs >= g.most:
		why = append(why, fmt.Sprintf("%d of the run's tasks run here, as many as it asked for", g.runs))
	case !q.lane.mayRun(c.now):
		why = append(why, "there is no lease under which it could start here")
	case q.suspect && q.flags&slotAllowed == 0:
		why = append(why, "its home has not recorded its start yet, after a loss")
	default:
		why = append(why, c.waitsHere(&h.terms)...)
	}
	return append(why, c.waitsThere(h.id))
}

// waits says why a queued task of a job of ours has not started.
func (c *Core) waits(j *job) (why []string) {
	switch {
	case j.paused:
		return []string{reasonPaused}
	case j.spare() == 0:
		return []string{reasonFull}
	}
	return append(c.waitsHere(&j.terms), c.waitsThere(j.id))
}

// waitsHere says why a task does not start on the cores of this process.
func (c *Core) waitsHere(t *Terms) []string {
	switch bar := c.barred(t); {
	case bar != "":
		return []string{"not here: " + bar}
	case c.cores == 0:
		return []string{"this process has no cores of its own"}
	case c.overlent() && !t.Child:
		return []string{fmt.Sprintf("tasks here wait for others, and %d cores were lent in their place already", c.busy-c.cores)}
	case c.reservedFrom(t):
		r := c.tenants.reserved
		return []string{fmt.Sprintf("what becomes free here is kept for a task of %v, which needs %v", r.id(), r.terms().Needs)}
	case !c.memoryFree(t):
		return []string{fmt.Sprintf("of the %d MiB here tasks that run hold %d", c.cfg.Memory>>20, c.memory>>20)}
	case !c.fits(t):
		return []string{fmt.Sprintf("%d of the %d cores here are in use", c.inUse(), c.cores)}
	}
	return nil
}

// waitsThere says why nobody else has taken a task of a job.
func (c *Core) waitsThere(id JobID) string {
	room, asked := 0, 0
	for _, d := range c.downList {
		room += len(d.offers)
		if slices.ContainsFunc(d.proofs, func(p dirProof) bool { return p.job == id && p.state == proofAsked }) {
			asked++
		}
	}
	switch {
	case asked > 0:
		return fmt.Sprintf("%d that offer room have not answered yet whether they have the directory", asked)
	case room == 0:
		return "no peer offers room"
	}
	return fmt.Sprintf("of %d offers that wait here none fits", room)
}

// Explain is ExplainTask as lines of text.
func (c *Core) Explain(id JobID, index uint64) (lines []string) {
	s := c.ExplainTask(id, index)
	if !s.Home && len(s.Attempts)+len(s.Lines)+len(s.Refusals) == 0 {
		return []string{fmt.Sprintf("%v is not known here", id)}
	}
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	if s.Older > 0 {
		say("%d older lines are forgotten", s.Older)
	}
	for _, l := range s.Lines {
		text := fmt.Sprintf("%10.3fs attempt %d.%d %s %s (%v) %s", l.At.Seconds(), l.Attempt.Incarnation, l.Attempt.N, l.What, l.Peer, l.Span, l.Why)
		if l.Choice != (Choice{}) {
			text += "; " + l.Choice.String()
		}
		lines = append(lines, text)
	}
	if s.Home {
		say("now %s", s.State)
	}
	if s.Failures+s.Losses+s.Blamed > 0 || s.Suspect {
		say("failures %d, charged losses %d, blamed on peers %d, suspect %v", s.Failures, s.Losses, s.Blamed, s.Suspect)
	}
	for _, a := range s.Attempts {
		to := ""
		if a.To != "" {
			to = ", lent on to " + string(a.To)
		}
		say("held by %q as attempt %d.%d: %s%s", a.Peer, a.Attempt.Incarnation, a.Attempt.N, a.State, to)
	}
	for _, w := range s.Waits {
		say("waits: %s", w)
	}
	for _, r := range s.Refusals {
		say("%s: refused %d times: %s", r.Peer, r.Tasks, r.Reason)
	}
	return lines
}

// refusals counts per peer and reason, in tasks. The zero value is empty.
type refusals struct{ by map[refusalKey]uint64 }

type refusalKey struct {
	peer   PeerID
	reason string
}

// maxRefusalKeys bounds them for each job; beyond it peers are not told apart, and
// beyond twice as many nor are reasons.
const maxRefusalKeys = 256

func (r *refusals) count(p PeerID, reason string, n uint64) {
	if r.by == nil {
		r.by = make(map[refusalKey]uint64)
	}
	k := refusalKey{p, reason}
	if _, old := r.by[k]; !old && len(r.by) >= maxRefusalKeys {
		k.peer = ""
		if _, old := r.by[k]; !old && len(r.by) >= 2*maxRefusalKeys {
			k.reason = "other reasons"
		}
	}
	r.by[k] += n
}

// list is in the order of the counts, the greatest first.
func (r *refusals) list() (all []RefusalCount) {
	for k, n := range r.by {
		all = append(all, RefusalCount{k.peer, k.reason, n})
	}
	slices.SortFunc(all, func(a, b RefusalCount) int {
		return cmp.Or(cmp.Compare(b.Tasks, a.Tasks), cmp.Compare(a.Peer, b.Peer), cmp.Compare(a.Reason, b.Reason))
	})
	return all
}
