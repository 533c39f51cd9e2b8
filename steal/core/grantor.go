package core

import (
	"slices"
	"time"

	"github.com/filchsched/filch/steal/cost"
)

// A hold is the grantor's record of a piece that somebody has.
type hold struct {
	Span
	attempt  Attempt
	epoch    uint64 // in which it was granted or last shown
	n        uint64 // the grant's number in that epoch; 0: shown by a hello
	lane     *lane  // our own lease that it hangs on; nil for our own jobs
	fences   bool   // a second copy could do harm
	suspect  bool
	recorded bool          // a suspect's start
	known    bool          // to have started
	since    time.Duration // it was granted
	own      bool          // we execute it ourselves for the node that we are a guest of
	below    []PeerID      // who have said that they run it, by way of this holder; shared
	limbo    time.Duration // its holder has a new incarnation; what the old one runs is dead by then
}

// A downlink is the channel to a peer that holds what we granted: as home, or as
// a middle that sub-granted. Both are the same up to who is told of an end.
type downlink struct {
	peer    PeerID
	at      stamp // of the hello that opened the epoch
	epoch   uint64
	known   bool // said hello once
	open    bool
	cut     bool // the connection ended: nothing is granted before the next hello
	seq     uint64
	seen    [2]uint64 // control, data
	granted uint64    // number of the last grant in this epoch
	applied uint64    // as the peer last said
	expires time.Duration
	heard   time.Duration
	spared  bool // we suspected ourselves once since it was heard

	jobs    map[JobID][]hold // sorted by index; may overlap after a commit
	tangled bool             // some do, or did
	order   []JobID

	set     []Claim // pages so far
	setKind Message // the Hello or Beat that they belong to
	fresh   bool    // the peer is a new incarnation, and its first set is not in yet

	oldExpires time.Duration // when the former incarnation's leases have run out

	offers   []standing // that wait here, or are to be answered in this step
	last     Offer      // what it said last of what it can run
	refusals []refusal
	proofs   []dirProof
	looked   bool      // by serve in this step
	offering bool      // it is in core.offering
	level    uint8     // how far it is
	pace     cost.Pace // of transfers with it

	drops, gones, recordeds, recalls []Piece // collected in this step

	core    *Core // nil: what is no peer, and gets no frames
	touched bool  // something was collected: it is in core.touchedDowns
	listed  bool  // it is in core.downList
}

// A refusal is why a piece is not granted to a peer for a while.
type refusal struct {
	Piece
	until  time.Duration
	reason string
}

// maxSet bounds the claims of a full set: a holder has a second's work of each home, in 4096 pieces at most.
const maxSet = 1 << 17

const (
	refusalLasts = 2 * time.Second
	maxRefusals  = 64 // per peer; the oldest is forgotten
)

func newDownlink(p PeerID) *downlink {
	return &downlink{peer: p, jobs: make(map[JobID][]hold)}
}

func (c *Core) downlinkTo(p PeerID) *downlink {
	d := c.downs[p]
	if d == nil {
		c.forgetLinks()
		d = newDownlink(p)
		d.core = c
		c.downs[p] = d
	}
	if !d.listed {
		d.listed = true
		c.downList = append(c.downList, d)
	}
	return d
}

// collect adds a piece to what is sent at the end of the step.
func (d *downlink) collect(to *[]Piece, p Piece) {
	*to = append(*to, p)
	if d.core != nil && !d.touched {
		d.touched = true
		d.core.touchedDowns = append(d.core.touchedDowns, d)
	}
}

// asleep tells whether a peer neither holds anything nor can be granted anything.
// It is remembered, for the order of its hellos, and not looked at any more.
func (d *downlink) asleep() bool { return !d.open && d.empty() && !d.touched }

// send sends a frame of the present epoch.
func (d *downlink) send(c *Core, m Message) {
	d.seq++
	c.emit(Send{To: d.peer, Frame: Frame{Inc: c.cfg.Incarnation, Session: d.at.session, Epoch: d.epoch, Seq: d.seq, Msg: m}})
}

// flush sends what was collected; an acknowledgement comes after it.
func (d *downlink) flush(c *Core) {
	if !d.open || d.cut {
		d.drops, d.gones, d.recordeds, d.recalls = nil, nil, nil, nil
		return
	}
	batch := func(p *[]Piece, m func([]Piece) Message) {
		for len(*p) > 0 {
			n := min(len(*p), maxClaims)
			d.send(c, m((*p)[:n:n]))
			*p = (*p)[n:]
		}
		*p = nil
	}
	batch(&d.recordeds, func(p []Piece) Message { return Recorded{p} })
	batch(&d.drops, func(p []Piece) Message { return Drop{p} })
	batch(&d.gones, func(p []Piece) Message { return Gone{p} })
	batch(&d.recalls, func(p []Piece) Message { return Recall{p} })
}

// grantorGets takes a frame from a holder.
func (c *Core) grantorGets(from PeerID, f *Frame) {
	at := stamp{f.Inc, f.Session, f.Epoch}
	d := c.downlinkTo(from)
	if m, ok := f.Msg.(Hello); ok {
		if d.known && at.compare(d.at) <= 0 {
			return
		}
		c.greet(d, at, f.Seq, &m)
		return
	}
	if !d.open || at != d.at {
		if !f.Data && (!d.known || at.compare(d.at) >= 0) { // data may overtake a hello
			c.refuseEpoch(from, f)
		}
		return
	}
	stream := 0
	if f.Data {
		stream = 1
	}
	if f.Seq <= d.seen[stream] {
		return
	}
	if !f.Data && f.Seq != d.seen[0]+1 {
		c.note("%s: frames are missing", from)
		c.refuseEpoch(from, f)
		return
	}
	d.seen[stream] = f.Seq
	switch m := f.Msg.(type) {
	case Beat:
		c.takeBeat(d, &m)
	case Page:
		if len(d.set)+len(m.Claims) > maxSet || d.setKind == nil {
			c.note("%s: a set without an end, or without a beginning", from)
			c.refuseEpoch(from, f)
			d.set, d.setKind = nil, nil
			return
		}
		d.set = append(d.set, m.Claims...)
		if !m.More {
			c.takeSet(d)
		}
	case Report:
		for k := range m.Outcomes {
			c.takeOutcome(d, &m.Outcomes[k])
		}
		for k := range m.Ends {
			c.takeEnd(d, &m.Ends[k])
		}
	case StartAsk:
		c.startAsked(d, m.Piece)
	case Proof:
		c.takeProof(d, &m)
	case Offer:
		c.offered(d, &m)
	case Withdraw:
		d.offers = slices.DeleteFunc(d.offers, func(s standing) bool { return s.N <= m.N })
	}
}

// refuseEpoch tells the holder to begin anew. It needs no place in the order of frames.
func (c *Core) refuseEpoch(to PeerID, f *Frame) {
	c.emit(Send{To: to, Frame: Frame{Inc: c.cfg.Incarnation, Session: f.Session, Epoch: f.Epoch, Seq: lastSeq, Msg: Refused{}}})
}

// lastSeq is greater than every number that a frame gets by counting.
const lastSeq = 1 << 62

// greet begins an epoch.
func (c *Core) greet(d *downlink, at stamp, seq uint64, m *Hello) {
	if d.known && !d.fresh && (at.inc != d.at.inc || at.session != d.at.session) {
		d.fresh, d.oldExpires = true, d.expires
		c.note("%s is a new incarnation", d.peer)
	}
	d.expires = max(d.expires, c.now+LeaseTTL)
	c.expiry(d.expires)
	d.at, d.epoch, d.known, d.open, d.cut = at, at.epoch, true, true, false
	d.seq, d.granted, d.applied = 0, 0, 0
	d.seen = [2]uint64{seq, 0}
	d.offers, d.refusals, d.proofs = nil, nil, nil
	d.level = c.near.level(d.peer)
	d.drops, d.gones, d.recordeds, d.recalls = nil, nil, nil, nil
	d.set, d.setKind = m.Claims, *m
	if !m.More {
		c.takeSet(d)
	}
}

// takeBeat compares what the holder says it has with what we think it has.
func (c *Core) takeBeat(d *downlink, m *Beat) {
	d.applied = m.Applied
	if m.Full {
		d.set, d.setKind = m.Claims, *m
		if !m.More {
			c.takeSet(d)
		}
		return
	}
	c.prolong(d, m.N, d.digest() != m.Digest)
}

// digest is of what the holder must have, by what it applied.
func (d *downlink) digest() (sum uint64) {
	for _, id := range d.order {
		for k := range d.jobs[id] {
			if h := &d.jobs[id][k]; h.limbo == 0 && !d.inFlight(h, d.applied) {
				sum += digest(Piece{id, h.Span, h.attempt})
			}
		}
	}
	return sum
}

// inFlight tells whether a hold's grant can still be under way to a holder that
// has applied the grants up to n.
func (d *downlink) inFlight(h *hold, n uint64) bool { return h.epoch == d.epoch && h.n > n }

// prolong gives the holder another lease, by an acknowledgement that follows all
// that its set earned.
func (c *Core) prolong(d *downlink, beat uint64, sync bool) {
	d.heard, d.spared = c.now, false
	d.expires = c.now + LeaseTTL
	c.expiry(d.expires)
	c.watchItself() // a hello may have shown something that it holds
	// Perhaps by the late end of a former life's connection: without an answer its holder dials anew.
	if d.cut {
		return
	}
	d.flush(c)
	d.send(c, Ack{Beat: beat, Lanes: c.lanesOf(d), Sync: sync})
}

// lanesOf says what is left of each lease that the peer's pieces hang on.
func (c *Core) lanesOf(d *downlink) []LaneLeft {
	lefts := []LaneLeft{{0, HolderTTL}}
	for _, id := range d.order {
		for _, h := range d.jobs[id] {
			if h.lane != nil {
				lefts = c.addLane(lefts, h.lane)
			}
		}
	}
	return lefts
}

func (c *Core) addLane(lefts []LaneLeft, l *lane) []LaneLeft {
	if l.onto == 0 {
		c.lanes++
		l.onto = c.lanes
	}
	if slices.ContainsFunc(lefts, func(x LaneLeft) bool { return x.Lane == l.onto }) {
		return lefts
	}
	return append(lefts, LaneLeft{l.onto, c.laneLeft(l)})
}

// takeSet reconciles with a full set. What it does not show is taken back at
// once, unless its grant may be in flight; what it shows and is not wanted is dropped.
func (c *Core) takeSet(d *downlink) {
	claims := make(map[JobID][]Claim)
	for _, q := range d.set {
		claims[q.Job] = append(claims[q.Job], q)
	}
	hello, beat := false, uint64(0)
	switch m := d.setKind.(type) {
	case Hello:
		hello = true
	case Beat:
		beat = m.N
	}
	for _, id := range slices.Clone(d.order) {
		for _, h := range slices.Clone(d.jobs[id]) {
			c.reconcile(d, id, h, claims[id], hello)
		}
	}
	d.fresh = false
	for k := range d.set {
		q := &d.set[k]
		if q.Job.Home == c.cfg.ID {
			c.homeClaim(d, q)
		} else {
			c.middleClaim(d, q)
		}
	}
	d.set, d.setKind = nil, nil
	c.prolong(d, beat, false)
}

// reconcile looks at one hold in the light of a full set.
func (c *Core) reconcile(d *downlink, id JobID, h hold, claims []Claim, hello bool) {
	same := func(o *hold) bool { return o.attempt == h.attempt && o.limbo == 0 }
	if h.limbo != 0 {
		return
	}
	if hello && d.fresh {
		parts := d.takeOut(id, h.Span, same)
		for _, part := range parts {
			if h.fences && !h.own { // its commands may outlive it for as long as its lease
				part.limbo = max(d.oldExpires, c.now+1)
				d.add(id, part)
				c.inLimbo(part.limbo)
				continue
			}
			c.holdEnded(d, Piece{id, part.Span, part.attempt}, part, EndLost, "")
		}
		return
	}
	var shown []Span
	for k := range claims {
		both, ok := h.meet(claims[k].Span)
		if !ok || claims[k].Attempt != h.attempt {
			continue
		}
		shown = append(shown, both)
		for _, part := range d.takeOut(id, both, same) {
			if hello {
				part.epoch, part.n = d.epoch, 0
			}
			part.known = part.known || claims[k].State != ClaimUnstarted
			d.add(id, part)
		}
	}
	slices.SortFunc(shown, func(a, b Span) int {
		if a.Lo < b.Lo {
			return -1
		}
		return 1
	})
	if d.inFlight(&h, d.applied) {
		return
	}
	for _, missing := range h.Span.minus(shown) {
		for _, part := range d.takeOut(id, missing, same) {
			p := Piece{id, part.Span, part.attempt}
			c.emit(Took{d.peer, p})
			c.holdEnded(d, p, part, EndReturned, "")
		}
	}
}

// holdEnded tells whoever the piece is held for: the job, or the slot that was
// sub-granted. The hold is out of the downlink.
func (c *Core) holdEnded(d *downlink, p Piece, h hold, how EndKind, refused string) {
	if p.Job.Home == c.cfg.ID {
		c.homeEnded(d, p, h, how, refused)
	} else {
		c.middleEnded(d, p, how)
	}
}

// takeEnd is the end of an attempt without an outcome, as its holder reports it.
func (c *Core) takeEnd(d *downlink, e *End) {
	d.collect(&d.recordeds, e.Piece)
	if e.Kind == EndStarted {
		c.markStarted(d, e.Piece)
		return
	}
	if e.Refused != "" {
		d.refuse(c, e.Piece, e.Refused)
		if e.Job.Home != c.cfg.ID && d.covers(e.Piece) {
			c.passes(e.Job).refusals.count(d.peer, e.Refused, e.Len())
		}
	}
	parts := d.takeOut(e.Job, e.Span, func(h *hold) bool { return h.attempt == e.Attempt && h.limbo == 0 })
	for _, part := range parts {
		c.holdEnded(d, Piece{e.Job, part.Span, part.attempt}, part, e.Kind, e.Refused)
	}
	if e.Kind != EndLost && e.Job.Home == c.cfg.ID && (len(parts) > 0 || c.genuine(e.Piece, &e.Warrant)) {
		c.confirm(e.Piece)
	}
}

func (c *Core) markStarted(d *downlink, p Piece) {
	for _, part := range d.takeOut(p.Job, p.Span, func(h *hold) bool { return h.attempt == p.Attempt }) {
		part.known = true
		d.add(p.Job, part)
	}
}

// refuse remembers that the peer would not have a piece.
func (d *downlink) refuse(c *Core, p Piece, reason string) {
	if len(d.refusals) == maxRefusals {
		d.refusals = slices.Delete(d.refusals, 0, 1)
	}
	d.refusals = append(d.refusals, refusal{p, c.now + c.jitter(refusalLasts), reason})
}

// refusedUntil tells whether the peer refused part of a span a moment ago.
func (d *downlink) refused(now time.Duration, id JobID, s Span) bool {
	d.refusals = slices.DeleteFunc(d.refusals, func(r refusal) bool { return now >= r.until })
	return slices.ContainsFunc(d.refusals, func(r refusal) bool {
		_, ok := r.meet(s)
		return r.Job == id && ok
	})
}

// grant sends pieces as one numbered grant. They are recorded as held first.
func (c *Core) grant(d *downlink, offer uint64, parts []Part, holds []hold, rest time.Duration) {
	d.granted++
	if d.empty() { // it was heard at the pace of an idle channel: it has a whole lease's time from here
		d.heard, d.expires = c.now, max(d.expires, c.now+LeaseTTL)
	}
	var lefts []LaneLeft
	lefts = append(lefts, LaneLeft{0, HolderTTL})
	for k := range parts {
		h := holds[k]
		h.epoch, h.n, h.since = d.epoch, d.granted, c.now
		if h.lane != nil {
			lefts = c.addLane(lefts, h.lane)
			parts[k].Lane = h.lane.onto
		}
		d.add(parts[k].Job, h)
		c.stats.Granted += h.Len()
		c.handed[c.near.level(d.peer)] += h.Len()
	}
	c.watchItself()
	d.flush(c)
	d.send(c, Grant{N: d.granted, Offer: offer, Parts: parts, Lanes: lefts, Rest: rest})
}
