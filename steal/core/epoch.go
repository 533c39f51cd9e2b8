package core

import (
	"cmp"
	"slices"
	"time"

	"github.com/filchsched/filch/steal/cost"
)

// linkState is the holder's view of its channel to a grantor.
type linkState uint8

const (
	linkClosed   linkState = iota
	linkGreeting           // hello sent
	linkOpen               // hello acknowledged
)

// An uplink is the channel to a peer from which we hold, or want to: its epoch,
// its leases, and what is held over it. The holder opens channels, so the epoch is ours.
type uplink struct {
	peer    PeerID
	inc     uint64 // the peer's, as far as it is known
	session uint32 // how often we forgot what we held: makes us a new incarnation to the peer
	epoch   uint64
	state   linkState

	seq, dataSeq uint64 // sent
	seen         uint64 // received
	applied      uint64 // last grant
	beats        uint64
	unanswered   []sentBeat
	acked        bool          // something was acknowledged in this epoch
	ackedAt      time.Duration // when the heartbeat was sent that was acknowledged last
	rtt          time.Duration // of heartbeats, smoothed
	heard        time.Duration // when the peer last acknowledged anything
	full         bool          // the next heartbeat carries the full set

	nextBeat, redialAt, backoff, usedAt time.Duration

	lanes    map[uint32]*lane
	laneList []*lane
	lapseAt  time.Duration // before then none of them ends
	jobs     map[JobID]*heldJob
	order    []*heldJob
	report   Report        // collected in this step, or for a little longer: see gathers
	prompt   bool          // something of the report is our own
	told     time.Duration // when the last report went
	offer    ask           // what lies at the peer
	guest    *guest        // of ours; nil: none
	pace     cost.Pace     // of transfers with it
	window   uint32        // tasks that are asked for at most: slow start
	proving  []JobID       // directories of the peer's jobs that are being proven

	core    *Core
	touched bool // there is a report: it is in core.touchedUps
	listed  bool // it is in core.upOrder
}

type sentBeat struct {
	n  uint64
	at time.Duration
}

// uplinkTo returns the channel to a grantor, making it when there is none.
func (c *Core) uplinkTo(p PeerID) *uplink {
	u := c.ups[p]
	if u == nil {
		c.forgetLinks()
		u = &uplink{peer: p, session: c.above.session, epoch: c.above.epoch, lanes: make(map[uint32]*lane), jobs: make(map[JobID]*heldJob), heard: c.now, backoff: redialMin, usedAt: c.now, core: c, lapseAt: never}
		c.ups[p] = u
	}
	if !u.listed {
		u.listed = true
		c.upOrder = append(c.upOrder, u)
	}
	return u
}

// dial opens the next epoch with the full set. Frames of older epochs are not
// read any more: whatever they would say, the set says what is.
func (c *Core) dial(u *uplink) {
	u.epoch++
	u.state = linkGreeting
	u.seq, u.dataSeq, u.seen, u.applied, u.beats = 0, 0, 0, 0, 0
	u.unanswered = append(u.unanswered[:0], sentBeat{0, c.now})
	u.acked, u.full, u.proving = false, false, nil
	u.nextBeat = c.now + BeatEvery
	c.emit(Open{u.peer, u.epoch})
	claims := u.claims()
	first, rest := page(claims)
	u.send(c, Hello{Claims: first, More: len(rest) > 0})
	u.pages(c, rest)
	for _, h := range u.order {
		for k := range h.slots {
			h.slots[k].flags &^= slotAsked | slotAllowed
		}
	}
	u.tellAgain()
	c.alarm(c.now + ackPatience)
}

// tellAgain sends outcomes that were not acknowledged. It goes with each full
// set, whose claims only say that an outcome is on its way.
func (u *uplink) tellAgain() {
	for _, h := range u.order {
		for k := range h.slots {
			if q := &h.slots[k]; q.state == ClaimEnded {
				u.outcome(*q.out)
			}
		}
	}
}

func page(claims []Claim) (first, rest []Claim) {
	n := min(len(claims), maxClaims)
	return claims[:n], claims[n:]
}

func (u *uplink) pages(c *Core, rest []Claim) {
	for len(rest) > 0 {
		var first []Claim
		first, rest = page(rest)
		u.send(c, Page{Claims: first, More: len(rest) > 0})
	}
}

// closeLink gives the channel up; it is dialled anew when there is a reason.
func (c *Core) closeLink(u *uplink) {
	u.report = Report{}
	u.offer = ask{}
	if u.state == linkClosed {
		return
	}
	u.state = linkClosed
	c.emit(Close{u.peer, u.epoch})
	u.redialAt = c.now + c.jitter(u.backoff)
	u.backoff = min(2*u.backoff, redialMax)
	c.thief.closed(c, u)
	c.alarm(u.redialAt)
}

// hangUp closes a channel that nothing needs.
func (c *Core) hangUp(u *uplink) {
	u.state = linkClosed
	c.emit(Close{u.peer, u.epoch})
}

// asleep tells whether nothing is held from a peer or wanted of it. Its epochs
// are remembered, and it is not looked at any more until it is needed.
func (u *uplink) asleep() bool {
	return u.state == linkClosed && u.empty() && u.offer.n == 0 && u.guest == nil && !u.touched
}

// broken is the driver's word that a connection has ended. Nothing is taken back for it.
func (c *Core) broken(ev Broken) {
	if ev.Up {
		if u := c.ups[ev.Peer]; u != nil && u.epoch == ev.Epoch {
			c.closeLink(u)
		}
		return
	}
	if d := c.downs[ev.Peer]; d != nil && d.epoch == ev.Epoch {
		d.cut = true // no grants until its next hello
		d.offers = nil
	}
}

// linkDue dials, beats, and notices silence.
func (c *Core) linkDue(u *uplink) {
	wanted := !u.empty() || u.guest != nil || c.thief.wants(u)
	if u.state == linkClosed {
		if wanted && c.now >= u.redialAt {
			c.dial(u)
		} else if wanted {
			c.alarm(u.redialAt)
		}
		if u.state == linkClosed {
			return
		}
	}
	if !wanted && u.guest == nil && u.state == linkOpen && len(u.unanswered) == 0 {
		if end := u.usedAt + LeaseTTL; c.now < end {
			c.alarm(end)
		} else {
			c.hangUp(u) // the grantor does not keep it any longer either
		}
		return
	}
	if len(u.unanswered) > 0 && c.now >= u.unanswered[0].at+ackPatience {
		c.thief.silent(c, u)
		c.closeLink(u)
		return
	}
	if u.state == linkOpen && wanted && c.now >= u.nextBeat {
		c.beat(u)
	}
	if len(u.unanswered) > 0 {
		c.alarm(u.unanswered[0].at + ackPatience)
	}
	if wanted {
		u.usedAt = c.now
		if u.state == linkOpen {
			c.alarm(u.nextBeat)
		}
	}
}

func (c *Core) beat(u *uplink) {
	u.flush(c) // what has ended goes before the set that does not show it
	u.beats++
	every := BeatEvery
	if u.empty() {
		every = idleBeatEvery
	}
	u.nextBeat = c.now + every
	u.unanswered = append(u.unanswered, sentBeat{u.beats, c.now})
	b := Beat{N: u.beats, Applied: u.applied, Digest: u.digest(), Full: u.full}
	var rest []Claim
	if u.overdue() || u.full {
		b.Full, u.full = true, false
		b.Claims, rest = page(u.claims())
		b.More = len(rest) > 0
		u.tellAgain()
	}
	u.send(c, b)
	u.pages(c, rest)
}

// hasten goes over from the pace of an idle channel to that of one over which something is held.
func (u *uplink) hasten() {
	last := u.ackedAt
	if n := len(u.unanswered); n > 0 {
		last = u.unanswered[n-1].at
	}
	u.nextBeat = min(u.nextBeat, last+BeatEvery)
}

// overdue tells whether an outcome or an end has not been acknowledged for a whole
// beat. Streams lose nothing, but peers may.
func (u *uplink) overdue() (late bool) {
	for _, h := range u.order {
		for k := range h.slots {
			if q := &h.slots[k]; !q.live() {
				late = late || q.flags&slotOverdue != 0
				q.flags |= slotOverdue
			}
		}
	}
	return late
}

// take finds when an acknowledged heartbeat was sent and forgets it and older ones.
func (u *uplink) take(n uint64) (sent time.Duration, ok bool) {
	for k, b := range u.unanswered {
		if b.n == n {
			u.unanswered = slices.Delete(u.unanswered, 0, k+1)
			return b.at, true
		}
	}
	return 0, false
}

// claims is the full set: everything held, and everything whose end or outcome
// was not acknowledged yet.
func (u *uplink) claims() (all []Claim) {
	for _, h := range u.order {
		for k := range h.slots {
			q := &h.slots[k]
			all = append(all, Claim{Piece: h.piece(q), State: q.state, Warrant: q.warrant})
		}
	}
	return all
}

// digest sums up what is held and whose end was not reported. It does not depend
// on order nor on how spans are split, so that both sides come to the same sum.
func (u *uplink) digest() (d uint64) {
	for _, h := range u.order {
		for k := range h.slots {
			if q := &h.slots[k]; q.live() {
				d += digest(h.piece(q))
			}
		}
	}
	return d
}

// digest of a piece: adjacent pieces telescope.
func digest(p Piece) uint64 {
	h := mix(p.Job.Seq ^ mix(p.Attempt.Incarnation^mix(uint64(p.Attempt.N))))
	for _, b := range []byte(p.Job.Home) {
		h = mix(h ^ uint64(b))
	}
	return mix(h^p.Hi) - mix(h^p.Lo)
}

// mix is the finisher of splitmix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// send sends a frame of the present epoch; without a channel it is lost.
func (u *uplink) send(c *Core, m Message) {
	if u.state == linkClosed {
		return
	}
	u.usedAt = c.now
	f := Frame{Inc: c.cfg.Incarnation, Session: u.session, Epoch: u.epoch, Msg: m}
	// While the hello is not answered everything stays behind it.
	if r, ok := m.(Report); ok && c.cfg.Loose && len(r.Ends) == 0 && u.state == linkOpen {
		u.dataSeq++
		f.Seq, f.Data = u.dataSeq, true
	} else {
		u.seq++
		f.Seq = u.seq
	}
	c.emit(Send{To: u.peer, Up: true, Frame: f})
}

func (u *uplink) outcome(o Outcome) {
	u.prompt = true
	u.report.Outcomes = append(u.report.Outcomes, o)
	u.touch()
}

func (u *uplink) end(e End) {
	u.prompt = true
	u.report.Ends = append(u.report.Ends, e)
	u.touch()
}

// touch has the report sent at the end of the step.
func (u *uplink) touch() {
	if !u.touched {
		u.touched = true
		u.core.touchedUps = append(u.core.touchedUps, u)
	}
}

// flush sends what has ended in this step.
func (u *uplink) flush(c *Core) {
	r := u.report
	u.report, u.prompt = Report{}, false
	if len(r.Outcomes) > 0 {
		u.told = c.now
	}
	for len(r.Outcomes) > 0 {
		n := min(len(r.Outcomes), maxReport)
		u.send(c, Report{Outcomes: r.Outcomes[:n]})
		r.Outcomes = r.Outcomes[n:]
	}
	for len(r.Ends) > 0 {
		n := min(len(r.Ends), maxReport)
		u.send(c, Report{Ends: r.Ends[:n]})
		r.Ends = r.Ends[n:]
	}
}

// holderGets takes a frame from a grantor.
func (c *Core) holderGets(from PeerID, f *Frame) {
	u := c.ups[from]
	if u == nil || u.state == linkClosed || f.Session != u.session || f.Epoch != u.epoch {
		return // an older epoch: its set is history
	}
	if f.Seq <= u.seen {
		return
	}
	if _, over := f.Msg.(Refused); f.Seq != u.seen+1 && !over {
		c.note("%s: frames are missing", u.peer) // streams lose nothing, but peers may
		c.closeLink(u)
		return
	}
	u.seen, u.usedAt = f.Seq, c.now
	if u.inc != f.Inc {
		c.newGrantor(u, f.Inc)
	}
	switch m := f.Msg.(type) {
	case Ack:
		c.takeAck(u, &m)
	case Grant:
		c.takeGrant(u, &m)
	case Drop:
		for _, p := range m.Pieces {
			c.dropHeld(u, p)
		}
		u.tidy()
	case Gone:
		c.gone(u, m.Pieces)
	case Recorded:
		c.recorded(u, m.Pieces)
	case StartOK:
		c.allowStart(u, m.Piece)
	case Recall:
		for _, p := range m.Pieces {
			c.recallHeld(u, p)
		}
		u.tidy()
	case Refused:
		for _, l := range u.laneList {
			if l.until != 0 {
				c.lapse(u, l)
			}
		}
		c.closeLink(u)
	case NoWork:
		c.thief.refused(c, u, &m)
	case News:
		c.heardNews(u, &m)
	case Challenge:
		c.challenged(u, &m)
	}
}

// stamp orders the hellos of one peer.
type stamp struct {
	inc     uint64
	session uint32
	epoch   uint64
}

func (s stamp) compare(o stamp) int {
	return cmp.Or(cmp.Compare(s.inc, o.inc), cmp.Compare(s.session, o.session), cmp.Compare(s.epoch, o.epoch))
}

// giveUpDue stops work whose grantor has been silent for so long that nobody can
// want it. To that grantor, should it come back, we are a new incarnation.
func (c *Core) giveUpDue(u *uplink) {
	if u.empty() || u.guest != nil {
		return
	}
	for _, l := range u.laneList {
		if l.mayRun(c.now) {
			return
		}
	}
	if at := u.heard + c.cfg.GiveUp; c.now < at {
		c.alarm(at)
		return
	}
	c.abandon(u)
}

func (c *Core) abandon(u *uplink) {
	c.note("%s is silent for too long: its work is stopped", u.peer)
	for _, h := range u.order {
		for k := range h.slots {
			switch q := &h.slots[k]; q.state {
			case ClaimRunning:
				c.halt(h.piece(q))
			case ClaimSub:
				c.cutBelow(h.piece(q), q)
			}
		}
		h.slots = nil
		h.recount()
	}
	u.tidy()
	for _, l := range u.laneList {
		l.until = 0
	}
	c.closeLink(u)
	u.session++
	u.heard = c.now
}

// left stops the work of a peer that has left for good.
func (c *Core) left(p PeerID) {
	if u := c.ups[p]; u != nil {
		c.abandon(u)
	}
	if d := c.downs[p]; d != nil {
		d.offers = nil
	}
	c.thief.forget(p)
}
