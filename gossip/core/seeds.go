package core

import (
	"slices"
	"time"
)

// A Seed is a peer through which one can join.
type Seed struct {
	ID    ID // empty if only addresses are known
	Addrs []string
}

// When to dial, and whom. A node that has lost everybody tries some seeds at a
// time, for ever, ever more slowly, jittered so that a rack that comes back at
// once does not do it in step. A node that has company still tries a seed that is not
// there now and then: both halves of a healed partition have company.
const (
	MaxSeeds     = 256
	redialAtOnce = 3
	redialFirst  = time.Second
	redialMost   = time.Minute
	redialSome   = 90 * time.Second // with company
	redialJitter = 50               // percent
)

type seeds struct {
	all   []Seed
	due   time.Duration
	wait  time.Duration // before the next try, while alone
	alone bool
}

func (s *seeds) begin(now time.Duration) {
	s.due, s.wait, s.alone = Never, redialFirst, true
}

func (m *Machine) seedLearned(s Seed) {
	if len(s.Addrs) == 0 || len(s.ID) > MaxIDLen || s.ID == m.self.id {
		return
	}
	all := m.seeds.all
	i := slices.IndexFunc(all, func(t Seed) bool {
		return s.ID != "" && t.ID == s.ID || s.ID == "" && t.ID == "" && slices.Equal(t.Addrs, s.Addrs)
	})
	switch {
	case i >= 0:
		all[i].Addrs = slices.Clone(s.Addrs)
	case len(all) < MaxSeeds:
		m.seeds.all = append(all, Seed{s.ID, slices.Clone(s.Addrs)})
	default:
		all[m.rand.IntN(len(all))] = Seed{s.ID, slices.Clone(s.Addrs)}
	}
	m.planRedial()
}

// planRedial sets the first try after a change from alone to company or back.
func (m *Machine) planRedial() {
	s := &m.seeds
	alone := len(m.roster.present) == 0
	switch {
	case len(s.all) == 0:
		s.due = Never
	case alone && (!s.alone || s.due == Never):
		s.wait = redialFirst
		s.due = m.now + m.jitter(s.wait, redialJitter)
	case !alone && (s.alone || s.due == Never):
		s.due = m.now + m.jitter(redialSome, redialJitter)
	}
	s.alone = alone
}

func (m *Machine) redialIfDue() {
	m.planRedial()
	s := &m.seeds
	if m.now < s.due {
		return
	}
	most := 1
	if s.alone {
		most = redialAtOnce
		s.wait = min(2*s.wait, redialMost)
		s.due = m.now + m.jitter(s.wait, redialJitter)
	} else {
		s.due = m.now + m.jitter(redialSome, redialJitter)
	}
	if chosen := m.absentSeeds(most); len(chosen) > 0 {
		m.stats.Redials++
		m.do(Redial{Seeds: chosen})
	}
}

// absentSeeds picks seeds that are not present, at random. Who has left on
// purpose is not called back; a seed without an ID may be anybody and is tried only by
// who is alone.
func (m *Machine) absentSeeds(most int) (chosen []Seed) {
	for _, i := range m.rand.Perm(len(m.seeds.all)) {
		s := m.seeds.all[i]
		p := m.roster.byID[s.ID]
		if p != nil && (p.state.Present() || p.state == Left) || s.ID == "" && !m.seeds.alone {
			continue
		}
		if chosen = append(chosen, Seed{s.ID, slices.Clone(s.Addrs)}); len(chosen) == most {
			break
		}
	}
	return chosen
}
