package cost

import "time"

// A Why is what a choice rests on, in a word.
type Why uint8

// The reasons of choices.
const (
	Nowhere   Why = iota // nobody may run it
	Only                 // there is no other candidate
	Best                 // it is the best by the 90th percentile of the whole
	TooLittle            // another is better, and not by enough
	TooUnsure            // another seems better, and it is not likely enough
	Stays                // the last move was a few runs ago, and it is not much worse
	Explores             // little is known of it, and it may be the best
	Hurries              // all would probably miss the deadline; it is the soonest
)

// String is such as "it is the best".
func (w Why) String() string {
	return [...]string{
		"no node may run it", "there is no other candidate", "it is the soonest by the 90th percentile",
		"another is sooner, and not by enough to move", "another seems sooner, and that is not likely enough",
		"it moved a few runs ago, and no other is much sooner", "little is known of it, and it may be the soonest",
		"none is likely to meet the deadline, and it is the soonest",
	}[w]
}

// A Choice is where a task should go.
type Choice struct {
	Peer       string        // empty: nowhere
	Local      bool          // it is this node
	Chosen     Estimate      // of that
	Here       Estimate      // of this node, also when it is not a candidate
	Other      Estimate      // the best of the others, if there is one (its Peer says)
	Confidence float64       // that the chosen is usually sooner than Other
	Margin     time.Duration // by how much its 90th percentile is better; below 0: it is worse
	Why        Why
	Candidates int
}

// Choose looks for the best place for a task now, over everybody who is known. What it decided is
// remembered: the next choice knows that a core there has something to do, and stays there for a few runs.
func (m *Model) Choose(now time.Duration, a *Ask) Choice {
	f := m.function(a.Function)
	s := search{m: m, f: f, a: a, now: now, view: f.see(now, a)}
	s.all(true)
	if s.best.slot < 0 && a.Deadline > 0 {
		s.all(false)
		s.late = true
	}
	f.asked = s.view.x
	c := s.settle()
	if c.Why != Nowhere {
		m.peers[c.Chosen.slot].place(now, c.Chosen.Run.Mean)
	}
	return c
}

// A search goes through the peers for one choice.
type search struct {
	m    *Model
	f    *function
	a    *Ask
	now  time.Duration
	view view
	late bool // nobody meets the deadline

	count        int
	best, second Estimate // slot −1: none
	here, stays  Estimate // this node, and where the function went last, if they are candidates
	try          Estimate // worth exploring
	hope         float64  // of try: what it may take if all is well
}

// all goes through all peers. Most have no chance, and little is computed for those: a bound of the 90th percentile
// (floor), then that itself, and labels and zones last.
func (s *search) all(onTime bool) {
	s.count = 0
	s.best.slot, s.second.slot, s.here.slot, s.stays.slot, s.try.slot = -1, -1, -1, -1, -1
	tracks, staying := s.f.tracks, s.f.stay.slot(s.m)
	from, to := s.window()
	for k := range s.m.peers {
		p := &s.m.peers[k]
		if p.ID == "" || p.Away != "" {
			continue
		}
		for len(tracks) > 0 && tracks[0].peer < p.slot {
			tracks = tracks[1:]
		}
		var t *track
		if len(tracks) > 0 && tracks[0].peer == p.slot && tracks[0].born == p.born {
			t = &tracks[0]
		}
		special, trial := p.Self || p.slot == staying, p.slot >= from && p.slot < to
		if !special && !trial && s.second.slot >= 0 && s.view.floor(s.a, p, t) >= s.second.score {
			s.count++ // as far as is known
			continue
		}
		parts := s.view.parts(s.now, s.a, p, t)
		total := parts.total()
		p90 := total.p90()
		trial = trial && newcomer(t, parts.run)
		hopeless := !special && s.second.slot >= 0 && p90 >= s.second.score
		if hopeless && !(trial && (s.try.slot < 0 || total.hope() < s.hope)) {
			s.count++
			continue
		}
		if s.a.rejects(p, t) != "" {
			continue
		}
		if onTime && s.a.Deadline > 0 && p90 > float64(s.a.Deadline) {
			continue
		}
		s.count++
		e := s.view.estimate(s.now, s.a, p, t)
		e.score = p90 + s.a.price(p, &e)
		s.take(p, &e, trial)
	}
}

// take compares a candidate with those so far.
func (s *search) take(p *peer, e *Estimate, trial bool) {
	if p.Self {
		s.here = *e
	}
	if p.slot == s.f.stay.peer {
		s.stays = *e
	}
	switch {
	case s.best.slot < 0 || e.score < s.best.score:
		s.best, s.second = *e, s.best
	case s.second.slot < 0 || e.score < s.second.score:
		s.second = *e
	}
	if trial {
		if hope := e.Total.hope(); s.try.slot < 0 || hope < s.hope {
			s.try, s.hope = *e, hope
		}
	}
}
