package core

import (
	"iter"
	"slices"
	"sort"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// slotState is where a held piece is in its life.
type slotState = ClaimState

// Flags of a slot.
const (
	slotAsked   = 1 << iota // a suspect's start was asked for
	slotAllowed             // and permitted
	slotDrop                // to be dropped as soon as whoever has it says so
	slotRecall              // to be returned when it comes back
	slotOverdue             // has ended, and was not acknowledged at the last heartbeat either
)

// A lot is what the slots of one granted part share, however they are split.
type lot struct {
	attempt Attempt
	warrant Warrant
	lane    *lane
	depth   uint8
	suspect bool
	unasked bool          // it answered no offer
	born    time.Duration // when it came
}

// A slot is a piece that we hold.
type slot struct {
	Span
	*lot
	state slotState
	flags uint8
	to    PeerID   // who has it, when sub-granted
	out   *Outcome // when ended; its span is the slot's
}

// live tells whether the slot's end was not reported yet: what digests cover.
func (s *slot) live() bool { return s.state <= ClaimSub }

// heldJob is what we hold of one job from one grantor. slots are sorted by index
// and disjoint: a node holds a task at most once.
type heldJob struct {
	id    JobID
	terms Terms
	slots []slot

	tenant    *tenant     // nil: nothing of it was to be started yet
	unwanted  Spans[bool] // tasks of runs of several, of which others are wanted still
	unstarted uint64      // tasks of the slots that have not started
	lowest    uint64      // none of them is below
}

func (h *heldJob) piece(s *slot) Piece { return Piece{h.id, s.Span, s.attempt} }

// find is the position of the first slot that ends after i.
func (h *heldJob) find(i uint64) int {
	return sort.Search(len(h.slots), func(k int) bool { return h.slots[k].Hi > i })
}

// cut makes i a border between slots. Runs that are under way and outcomes stay whole.
func (h *heldJob) cut(i uint64) {
	k := h.find(i)
	if k == len(h.slots) || h.slots[k].Lo >= i || h.slots[k].state == ClaimRunning || h.slots[k].state == ClaimEnded {
		return
	}
	low := h.slots[k]
	low.Hi = i
	h.slots[k].Lo = i
	h.slots = slices.Insert(h.slots, k, low)
}

// each calls f with every slot of the attempt that lies in s. f may change the
// slot's state; it returns false to have the slot removed.
func (h *heldJob) each(s Span, a Attempt, f func(*slot) bool) {
	h.cut(s.Lo)
	h.cut(s.Hi)
	from := h.find(s.Lo)
	at, to := from, from
	for ; to < len(h.slots) && h.slots[to].Lo < s.Hi; to++ {
		q := h.slots[to]
		if q.attempt == a && q.Span.within(s) {
			h.count(&q, false)
			if !f(&q) {
				continue
			}
			h.count(&q, true)
		}
		h.slots[at] = q
		at++
	}
	h.slots = slices.Delete(h.slots, at, to)
}

// count keeps unstarted and lowest in step with a slot that comes or goes.
func (h *heldJob) count(q *slot, comes bool) {
	switch {
	case q.state != ClaimUnstarted:
	case comes:
		h.unstarted += q.Len()
		h.lowest = min(h.lowest, q.Lo)
	default:
		h.unstarted -= q.Len()
	}
}

// recount is for who has gone through the slots without each.
func (h *heldJob) recount() {
	h.unstarted, h.lowest = 0, 0
	for k := range h.slots {
		h.count(&h.slots[k], true)
	}
}

// waiting goes through the slots that have not started, oldest index first.
func (h *heldJob) waiting() iter.Seq2[int, *slot] {
	return func(yield func(int, *slot) bool) {
		if h.unstarted == 0 {
			return
		}
		begun := false
		for k := h.find(h.lowest); k < len(h.slots); k++ {
			q := &h.slots[k]
			if q.state != ClaimUnstarted {
				continue
			}
			if !begun {
				h.lowest, begun = q.Lo, true
			}
			if !yield(k, q) {
				return
			}
		}
	}
}

// held returns what u holds of a job; nil when nothing.
func (u *uplink) held(id JobID) *heldJob { return u.jobs[id] }

func (u *uplink) hold(id JobID, t *Terms) *heldJob {
	h := u.jobs[id]
	if h == nil {
		h = &heldJob{id: id, terms: *t}
		u.jobs[id] = h
		u.order = append(u.order, h)
	}
	return h
}

// tidy forgets jobs of which nothing is held any more.
func (u *uplink) tidy() {
	u.order = slices.DeleteFunc(u.order, func(h *heldJob) bool {
		if len(h.slots) == 0 {
			delete(u.jobs, h.id)
			return true
		}
		return false
	})
}

func (u *uplink) empty() bool {
	return !slices.ContainsFunc(u.order, func(h *heldJob) bool { return len(h.slots) > 0 })
}

// occupied tells whether this node holds anything of a span, from whomever.
func (c *Core) occupied(id JobID, s Span) bool {
	for _, u := range c.upOrder {
		if h := u.held(id); h != nil {
			if k := h.find(s.Lo); k < len(h.slots) && h.slots[k].Lo < s.Hi {
				return true
			}
		}
	}
	return false
}

// HeldOf is the parts of a piece that are held here for others, ends and outcomes that were not
// acknowledged included; not sorted.
func (c *Core) HeldOf(p Piece) (parts []Span) {
	for _, u := range c.upOrder {
		h := u.held(p.Job)
		if h == nil {
			continue
		}
		for k := h.find(p.Lo); k < len(h.slots) && h.slots[k].Lo < p.Hi; k++ {
			if both, ok := h.slots[k].meet(p.Span); ok && h.slots[k].attempt == p.Attempt {
				parts = append(parts, both)
			}
		}
	}
	return parts
}

func (h *heldJob) add(q slot) {
	k := h.find(q.Lo)
	h.slots = slices.Insert(h.slots, k, q)
	h.count(&q, true)
}

// takeGrant is the holder's side of a grant.
func (c *Core) takeGrant(u *uplink, m *Grant) {
	if m.N <= u.applied {
		return
	}
	u.applied = m.N
	for _, l := range m.Lanes {
		u.lane(c, l.Lane)
	}
	if u.acked {
		c.extendLanes(u, m.Lanes, u.ackedAt)
	}
	stale := c.thief.answered(c, u, m.Offer, m.Parts, m.Rest)
	taken := uint64(0)
	for k := range m.Parts {
		p := &m.Parts[k]
		c.replaced(u, p)
		why := c.declines(u, p)
		if why == "" && stale && c.room() <= 0 {
			why = reasonNoRoom
		}
		if why == "" && c.tooMuch(u, p, m.Offer == 0) {
			why = reasonUnasked
		}
		if why != "" {
			c.stats.HandedBack += p.Len()
			u.end(End{Piece: p.Piece, Kind: EndReturned, Refused: why})
			continue
		}
		c.stats.Stolen += p.Len()
		taken += p.Len()
		h := u.hold(p.Job, &p.Terms)
		if h.unwanted.Len() > 0 {
			h.unwanted.Clear(p.Span) // of former attempts
		}
		h.add(slot{Span: p.Span, state: ClaimUnstarted, lot: &lot{
			attempt: p.Attempt, warrant: p.Warrant, lane: u.lane(c, p.Lane), depth: p.Depth, suspect: p.Suspect, unasked: m.Offer == 0, born: c.now}})
		c.wakeHeld(u, h)
	}
	if taken > 0 && u.guest == nil {
		c.steals.took(u.peer, c.near.level(u.peer), taken)
	}
	switch l := u.lanes[0]; {
	case u.empty():
	case l == nil || c.now >= l.until:
		u.nextBeat = c.now // no lease to start under: ask for one now
	default:
		u.hasten()
	}
	c.alarm(u.nextBeat)
}

// Reasons that are counted and shown.
const (
	reasonBusyHere  = "another attempt is here"
	reasonDraining  = "draining"
	reasonKind      = "does not run this kind"
	reasonLabel     = "label missing"
	reasonMemory    = "not enough memory"
	reasonOwn       = "its own job"
	reasonNoRoom    = "the offer was answered elsewhere"
	reasonDepth     = "lent on four times already"
	reasonLease     = "too little left of the lease"
	reasonSuspect   = "suspect: only its home grants it"
	reasonRefused   = "handed it back a moment ago"
	reasonSmell     = "its failures smell of the peer"
	reasonNoSurplus = "no surplus"
	reasonSilent    = "no answer"
)

// declines says why a granted part is not wanted here; empty when it is.
func (c *Core) declines(u *uplink, p *Part) string {
	switch {
	case p.Job.Home == c.cfg.ID:
		return reasonOwn
	case c.draining:
		return reasonDraining
	case c.occupied(p.Job, p.Span):
		return reasonBusyHere
	case u.guest != nil && p.Job.Home == u.peer:
		return ""
	case c.isGuest(p.Job.Home):
		return reasonGuest
	}
	return c.unable(&p.Terms)
}

// startHeld starts the next piece of a job that is held from u, if its lease allows it.
func (c *Core) startHeld(u *uplink, h *heldJob) bool {
	if g := u.guest; g != nil && g.most > 0 && g.runs >= g.most {
		return false
	}
	if !c.mayStart(u, h) || !c.fits(&h.terms) {
		return false
	}
	for k, q := range h.waiting() {
		if !c.leased(u, h, q) {
			continue
		}
		if q.suspect && q.flags&slotAllowed == 0 {
			if q.flags&slotAsked == 0 && u.state == linkOpen {
				q.flags |= slotAsked
				u.send(c, StartAsk{h.piece(q)})
			}
			continue
		}
		c.startSlot(u, h, k)
		return true
	}
	return false
}

// leased tells whether a slot may start by its lease. The deadline is looked at here and not only when the timer fires:
// the process may just have been woken from a freeze.
func (c *Core) leased(u *uplink, h *heldJob, q *slot) bool {
	left := time.Duration(0)
	if h.terms.fences() && u.guest == nil {
		left = startLeft
	}
	return q.lane.mayRun(c.now + left)
}

// chunk is how many tasks go to the engine at a time: short functions several,
// so that a million of them do not cost a step each.
func (c *Core) chunk(t *Terms, n uint64) uint64 {
	return c.chunkOf(t, n, maxChunk)
}

func (c *Core) chunkOf(t *Terms, n, most uint64) uint64 {
	each := c.est.of(t)
	if t.Kind != task.KindFunc || each >= chunkTime {
		return 1
	}
	return min(n, uint64(chunkTime/each), most)
}

const (
	chunkTime = time.Millisecond // what is started together, in estimated time: small against a round trip
	maxChunk  = 64
	ownChunk  = 1024 // of a home's own, whose results take no frame
)

func (c *Core) startSlot(u *uplink, h *heldJob, k int) {
	q := h.slots[k]
	n := uint64(1)
	if !q.suspect {
		n = c.chunk(&h.terms, q.Len())
	}
	if n < q.Len() {
		h.cut(q.Lo + n)
	}
	s := &h.slots[k]
	h.count(s, false)
	s.state = ClaimRunning
	key := uint64(0)
	if h.terms.fences() && u.guest == nil { // a guest's own processes are in its own hands
		key = s.lane.leash(c)
	}
	c.run(Run{Piece: h.piece(s), Terms: h.terms, Leash: key, Suspect: s.suspect, From: u.peer, Depth: s.depth}, s.born)
	if g := u.guest; g != nil {
		c.runs[h.piece(s)].guest = g
		g.runs++
	}
}

// ranHere is the end of a run of a piece that is held for somebody.
func (c *Core) ranHere(ev Finished, o Outcome) {
	for _, u := range c.upOrder {
		h := u.held(ev.Piece.Job)
		if h == nil {
			continue
		}
		found := false
		h.each(ev.Piece.Span, ev.Piece.Attempt, func(q *slot) bool {
			if q.state != ClaimRunning || q.Span != ev.Piece.Span {
				return true
			}
			found = true
			if ev.State != task.Cancelled {
				c.est.learn(h.terms.Name, ev.Ran, ev.Piece.Len())
				o.Warrant = q.warrant
				q.state, q.out = ClaimEnded, &o
				u.outcome(o)
				return true
			}
			u.end(End{Piece: ev.Piece, Kind: EndKilled, Warrant: q.warrant})
			if q.flags&slotDrop != 0 {
				return false
			}
			q.state = ClaimKilled // stays in the set until its end is acknowledged
			return true
		})
		if found {
			u.progress(ev.Piece.Len())
			return
		}
	}
}

// recorded is the acknowledgement of an outcome or an end.
func (c *Core) recorded(u *uplink, pieces []Piece) {
	for _, p := range pieces {
		if h := u.held(p.Job); h != nil {
			h.each(p.Span, p.Attempt, func(q *slot) bool { return q.live() })
		}
	}
	u.tidy()
}

// allowStart is home's word that the start of a suspect is recorded.
func (c *Core) allowStart(u *uplink, p Piece) {
	if h := u.held(p.Job); h != nil {
		h.each(p.Span, p.Attempt, func(q *slot) bool {
			if q.state == ClaimUnstarted {
				q.flags |= slotAllowed
			}
			return true
		})
	}
}
