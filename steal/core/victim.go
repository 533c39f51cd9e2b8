package core

import (
	"cmp"
	"slices"
	"time"
)

// A source is something of which a victim may hand over: queued tasks of a job of
// ours, or unstarted ones that we hold.
type source struct {
	since time.Duration
	terms *Terms
	job   *job     // of ours
	up    *uplink  // or held from
	stays bool     // it may start here
	held  *heldJob // there
	span  Span
	lot   *lot
}

// handOver grants a share of the surplus to whoever offers room: at most half in
// estimated time, rounded up to a task, oldest first; not more than the thief says it
// can take.
func (c *Core) handOver(d *downlink, o *standing) (why string, rest time.Duration, ok bool) {
	if back := c.backTo(d.peer, &o.Offer); back != "" {
		return back, 0, false
	}
	sources, surplus, stays := c.surplus()
	slices.SortStableFunc(sources, func(a, b source) int { return cmp.Compare(a.since, b.since) })
	half := surplus - stays/2 // of what cannot run here, all
	if c.cores == 0 {
		half = surplus
	}
	s := share{c: c, d: d, o: &o.Offer, came: o.came, here: surplus / time.Duration(max(1, c.cores)), stays: stays, time: max(0, min(half, o.Time)), tasks: uint64(o.Tasks), why: reasonNoSurplus}
	for k := range sources {
		if s.full() {
			break
		}
		s.take(&sources[k])
	}
	if len(s.parts) == 0 {
		return s.why, surplus, false
	}
	rest = surplus - s.given
	c.grant(d, o.N, s.parts, s.holds, rest)
	return "", rest, true
}

// surplus is what waits here and may leave, how long it would take one core, and how
// much of that could start here.
func (c *Core) surplus() (list []source, sum, stays time.Duration) {
	count := func(s *source, n uint64) {
		if s.terms.Where.Local && !(s.job != nil && c.cfg.Host != "") {
			return // listed, so that the refusal is counted
		}
		work := c.est.work(s.terms, n)
		sum = min(sum+work, maxWork)
		if s.stays {
			stays = min(stays+work, maxWork)
		}
	}
	for j := range c.queuedJobs() {
		spare := j.spare()
		if spare == 0 {
			continue
		}
		s := source{since: j.since, terms: &j.terms, job: j, stays: c.barred(&j.terms) == ""}
		count(&s, min(j.queue.Len(), spare))
		most := len(list) + maxParts
		for r := range j.queue.Runs() {
			s.span = Span{r.Lo, r.Lo + min(r.Len(), spare)}
			spare -= s.span.Len()
			if list = append(list, s); spare == 0 || len(list) == most {
				break
			}
		}
	}
	for _, u := range c.upOrder {
		for _, h := range u.order {
			s := source{terms: &h.terms, up: u, held: h, stays: c.mayStart(u, h)}
			count(&s, h.unstarted)
			most := len(list) + maxParts
			for _, q := range h.waiting() {
				s.since, s.span, s.lot = q.born, q.Span, q.lot
				if list = append(list, s); len(list) == most {
					break
				}
			}
		}
	}
	return list, sum, stays
}

// backTo hands work back when the one who asks is the one who lent it, or its home: what our free
// cores do not take. Who lent it may not be able to run it at all (a guest's bound), so that a little
// which has just come would go to and fro.
func (c *Core) backTo(p PeerID, o *Offer) (why string) {
	u := c.ups[p]
	if u == nil || u.state != linkOpen {
		return ""
	}
	n := uint64(0)
	for _, h := range u.order {
		if h.terms.Where.excludes(p, o.Labels) == "" {
			n += h.unstarted
		}
	}
	free := uint64(c.free())
	if n <= free {
		return ""
	}
	age := time.Duration(0)
	if n -= free; n <= uint64(c.cores) {
		age = 2*c.rtt(p) + waitSlack
	}
	if c.handBack(u, o, min((n+1)/2, uint64(o.Tasks)), age) > 0 {
		return reasonOwn
	}
	return ""
}

// A share is what one offer gets.
type share struct {
	c     *Core
	d     *downlink
	o     *Offer
	time  time.Duration
	given time.Duration
	tasks uint64
	here  time.Duration // until what waits here has started here
	came  time.Duration // when the offer did
	stays time.Duration // work that could start here and is not given away
	alone bool          // a suspect was taken: nothing else goes with it
	parts []Part
	holds []hold
	why   string
}

func (s *share) full() bool {
	return s.alone || s.tasks == 0 || len(s.parts) == maxParts || len(s.parts) > 0 && s.given >= s.time
}

// unfit says why a source cannot go to this thief.
func (s *share) unfit(src *source) string {
	t := src.terms
	if src.job != nil {
		if s.d.peer == s.c.cfg.Host {
			return "" // it holds for others, and looks itself before it starts anything
		}
		if why := s.o.unable(s.d.peer, t); why != "" {
			return why
		}
		return s.c.dirOf(s.d, src.job.id, t)
	}
	if why := s.o.unable(s.d.peer, t); why != "" {
		return why
	}
	switch {
	case src.up.chain(src.held.id, s.d.peer) || src.lot.warrant.Holder == s.d.peer:
		return reasonOwn
	case src.lot.depth >= maxDepth:
		return reasonDepth
	case src.lot.suspect:
		return reasonSuspect
	case src.lot.lane.until-s.c.now < minLeft:
		return reasonLease
	}
	return s.c.dirOf(s.d, src.held.id, t)
}

// take moves as much of a source as the offer has room for.
func (s *share) take(src *source) {
	id := JobID{}
	if src.job != nil {
		id = src.job.id
	} else {
		id = src.held.id
	}
	why := s.unfit(src)
	if why != "" {
		s.refuse(src, why)
		return
	}
	e := s.c.est.of(src.terms)
	for at := src.span.Lo; at < src.span.Hi && !s.full(); {
		n := max(1, min(uint64((s.time-s.given)/e), s.tasks))
		if src.stays {
			if n = min(n, s.sooner(src, e)); n == 0 {
				s.refuse(src, reasonSooner)
				return
			}
		}
		part := Span{at, min(src.span.Hi, at+n)}
		at = part.Hi
		suspect := false
		if src.job != nil {
			clean := s.c.unsuspected(src.job, part)
			if suspect = clean.Len() == 0; suspect {
				if at = part.Lo + 1; len(s.parts) > 0 {
					continue
				}
				part.Hi = at
			} else {
				part, at = clean, clean.Hi
			}
		}
		if s.d.refused(s.c.now, id, part) {
			s.refuse(src, reasonRefused)
			s.c.serveAgain(s.c.now + refusalLasts)
			part.Hi = part.Lo + 1 // look at them one by one
			if at = part.Hi; s.d.refused(s.c.now, id, part) {
				continue
			}
		}
		s.alone = suspect
		s.add(src, part, suspect)
		s.given += e * time.Duration(part.Len())
		if src.stays {
			s.stays -= e * time.Duration(part.Len())
		}
		s.tasks -= min(s.tasks, part.Len())
	}
}

func (s *share) refuse(src *source, why string) {
	s.why = why
	if why == reasonProving {
		return // it was asked, and has not refused
	}
	if src.job != nil {
		src.job.story.refusals.count(s.d.peer, why, src.span.Len())
	} else {
		s.c.passes(src.held.id).refusals.count(s.d.peer, why, src.span.Len())
	}
}

// add makes a part and the record of it.
func (s *share) add(src *source, span Span, suspect bool) {
	c, t := s.c, src.terms
	h := hold{Span: span, fences: t.fences(), suspect: suspect}
	p := Part{Terms: *t, Suspect: suspect}
	p.Terms.Estimate = c.est.of(t)
	if j := src.job; j != nil {
		h.attempt = c.issue(j)
		p.Warrant = c.issueWarrant(j.id, span, h.attempt, s.d.peer)
		p.Depth = 1
		p.Piece = Piece{j.id, span, h.attempt}
		c.countHold(j, span)
		j.tell(c, entry{Kind: storyGranted, Span: span, Attempt: h.attempt, Peer: s.d.peer, Why: s.because(), Choice: s.choiceOf(t)})
	} else {
		h.attempt, h.lane = src.lot.attempt, src.lot.lane
		p.Warrant, p.Depth = src.lot.warrant, src.lot.depth+1
		p.Piece = Piece{src.held.id, span, h.attempt}
		src.held.each(span, h.attempt, func(q *slot) bool {
			q.state, q.to = ClaimSub, s.d.peer
			return true
		})
		c.pass(p.Piece, storyLent, s.d.peer, s.because(), s.choiceOf(t))
	}
	s.parts = append(s.parts, p)
	s.holds = append(s.holds, h)
}

// because says why a share goes to the peer.
func (s *share) because() string {
	if s.d.peer == s.c.cfg.Host {
		return "it is the node of this machine"
	}
	return "it offered room"
}

// choiceOf is what that rests on. A guest has no choice.
func (s *share) choiceOf(t *Terms) Choice {
	if s.d.peer == s.c.cfg.Host {
		return Choice{Task: s.c.est.of(t)}
	}
	return s.choice(t)
}
