package core

import "time"

// MaxAge is how long news is believed after its owner said it. A rumour takes
// log2 N + ln N rounds to reach everybody, 15 s at 300 nodes and 23 s at 10,000
// in the worst case of one datagram per round; what is older is of a node that
// fell silent.
const MaxAge = 30 * time.Second

// settledFor is how long "no longer surplus" is passed on, for the sake of those
// who still believe the surplus.
const settledFor = 10 * time.Second

// A belief is what the newest news of a member says.
type belief struct {
	heard    bool
	sequence uint32
	standing Standing
	cores    uint16
	queued   time.Duration
	issued   time.Duration // when the owner said so, by this node's clock
	settled  time.Duration // when surplus ended
	was      bool          // settled is set
}

func (b *belief) live(now time.Duration) bool { return b.heard && now-b.issued < MaxAge }

func (b *belief) surplus(now time.Duration) bool {
	return b.standing&Surplus != 0 && b.live(now)
}

func (b *belief) settling(now time.Duration) bool {
	return b.was && now-b.settled < settledFor && b.standing&Surplus == 0 && b.live(now)
}

// newer compares sequence numbers of one incarnation as in RFC 1982, so that a
// forged number near the end does not silence a member for ever.
func newer(a, b uint32) bool { return int32(a-b) > 0 }

// believe takes an entry if it is newer than what is believed of its owner. It
// keeps nothing about anybody who is not a present member. Whoever knows the news
// key can lie here; a lie lasts until its owner refutes it or MaxAge is over.
func (m *Machine) believe(e Entry) (p *peer, taken bool) {
	if e.who == m.self.handle {
		m.refute(e)
		return nil, false
	}
	p = m.roster.byHandle[e.who]
	switch {
	case p == nil || !p.state.Present():
		m.stats.EntriesUnknown++
	case e.incarnation != uint16(p.tag.Incarnation):
		m.stats.EntriesRefused++
	case e.age >= MaxAge:
		m.stats.EntriesExpired++
	case p.belief.live(m.now) && !newer(e.sequence, p.belief.sequence):
		m.stats.EntriesKnown++
	default:
		m.stats.EntriesTaken++
		m.adopt(p, e)
		return p, true
	}
	return p, false
}

// adopt replaces what is believed of p. Only surplus that comes or goes stirs: to
// hear from every starved member for the first time, or again, takes hours in a
// large cluster and must not keep it from becoming quiet.
func (m *Machine) adopt(p *peer, e Entry) {
	b := &p.belief
	had, has := b.surplus(m.now), e.standing&Surplus != 0
	if had && !has {
		b.was, b.settled = true, m.now
	}
	changed := b.standing&known != e.standing&known
	b.heard, b.sequence, b.standing = true, e.sequence, e.standing
	b.cores, b.queued, b.issued = e.freeCores, e.queued, m.now-e.age
	if had != has {
		m.stir()
	}
	if changed {
		m.do(Changed{p.id, ChangedStanding})
	}
}

// refute answers news about this node that it never sent, or sent before it
// forgot: its own count goes on from there, as memberlist's incarnations do.
func (m *Machine) refute(e Entry) {
	if e.incarnation == uint16(m.self.tag.Incarnation) && newer(e.sequence, m.news.sequence) {
		m.stats.Refuted++
		m.news.sequence = e.sequence
		m.stir()
	}
}

// knownSurplus counts the members other than not that are believed to have
// surplus, as far as most.
func (m *Machine) knownSurplus(not *peer, most int) (n int) {
	for _, p := range m.roster.present {
		if p != not && p.belief.surplus(m.now) {
			if n++; n == most {
				return n
			}
		}
	}
	return n
}
