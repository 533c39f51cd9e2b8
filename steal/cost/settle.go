package cost

import "time"

// Whether to move. A task stays where its function ran last, at first here, unless somebody is better by enough and
// likely so: moving costs what no estimate contains (caches, connections, attention), and a decision that changes with every
// breath of noise helps nobody.

const (
	leaveShare = 0.2  // of the total: what leaving this node has to gain, as long as
	leaveCount = 10   // there are fewer samples than this of the function at both; then
	leaveKnown = 0.1  // is enough: what no estimate contained has shown by then
	leaveRTTs  = 2    // and this many round trips
	moveShare  = 0.03 // what moving between others, or back, has to gain
	likely     = 0.8  // how likely it has to be that leaving this node is better
	moveLikely = 0.6  // and another move: here is not at stake
	stayRuns   = 3    // after a move, during which
	stayShare  = 0.07 // is what the next one has to gain
)

// A stay is where a function ran last, and since when.
type stay struct {
	peer int32 // slot; −1: nowhere yet
	born uint32
	runs int // decisions for it in a row
}

// slot is the peer's, if that is still the one; else −1.
func (s *stay) slot(m *Model) int32 {
	if s.peer >= 0 && m.peers[s.peer].born != s.born {
		s.peer = -1
	}
	return s.peer
}

func (s *stay) at(p *peer) {
	if s.peer == p.slot && s.born == p.born {
		s.runs++
		return
	}
	*s = stay{p.slot, p.born, 1}
}

// settle makes a choice of what the search found.
func (s *search) settle() Choice {
	c := Choice{Why: Nowhere, Candidates: s.count}
	if p := s.m.self; p >= 0 {
		c.Here = s.here
		if s.here.slot < 0 {
			c.Here = s.view.estimate(s.now, s.a, &s.m.peers[p], s.f.find(&s.m.peers[p]))
			c.Here.Rejected = s.a.rejects(&s.m.peers[p], nil)
		}
	}
	if s.best.slot < 0 {
		return c
	}
	chosen, why := s.move()
	if !s.late && s.tries(chosen) {
		chosen, why = &s.try, Explores
	}
	s.f.earn()
	if why != Explores {
		s.f.stay.at(&s.m.peers[chosen.slot])
	}
	if s.late {
		why = Hurries
	}
	c.Why, c.Chosen, c.Peer, c.Local = why, *chosen, chosen.Peer, chosen.slot == s.m.self
	c.compare(s)
	return c
}

// compare tells how the chosen stands to the best of the others.
func (c *Choice) compare(s *search) {
	other := &s.best
	if other.slot == c.Chosen.slot {
		other = &s.second
	}
	c.Confidence = 1
	if other.slot < 0 {
		return
	}
	c.Other = *other
	c.Confidence = c.Chosen.Total.Sooner(other.Total)
	c.Margin = time.Duration(min(max(other.score-c.Chosen.score, -1e18), 1e18))
}

// move says where to go from where the function is.
func (s *search) move() (*Estimate, Why) {
	from := &s.stays
	if s.f.stay.peer < 0 || from.slot < 0 {
		from = &s.here
	}
	switch {
	case s.second.slot < 0:
		return &s.best, Only
	case from.slot < 0 || from.slot == s.best.slot:
		return &s.best, Best
	}
	gain, need, sure := from.score-s.best.score, moveShare*from.score, moveLikely
	leaving := from.slot == s.m.self
	staying := !leaving && s.f.stay.runs < stayRuns
	switch {
	case leaving:
		share := leaveShare
		if min(from.Samples, s.best.Samples) >= leaveCount {
			share = leaveKnown
		}
		need, sure = max(share*from.score, float64(leaveRTTs*s.best.RTT)), likely
	case staying:
		need = stayShare * from.score
	}
	switch {
	case gain <= need && staying:
		return from, Stays
	case gain <= need:
		return from, TooLittle
	case s.best.Total.Sooner(from.Total) < sure:
		return from, TooUnsure
	}
	return &s.best, Best
}
