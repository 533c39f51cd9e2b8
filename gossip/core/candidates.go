package core

import (
	"cmp"
	"slices"
	"time"
)

// A Member is a snapshot of what is known about one member, this node included.
// Record is shared and must not be changed.
type Member struct {
	ID     ID
	State  State
	Tag    Tag
	Record *Record // nil until it has been fetched
	Level  Level
	Reason LevelReason
	RTT    time.Duration // 0 for unmeasured
	Since  time.Duration // when State began
	News   News
	Heard  bool // whether News is from within MaxAge
}

// News is what is believed about a member's load.
type News struct {
	Standing  Standing
	FreeCores int
	Queued    time.Duration // core time
	Age       time.Duration // since the member said so
}

func (m *Machine) snapshot(p *peer) Member {
	s := Member{
		ID: p.id, State: p.state, Tag: p.tag, Record: p.record,
		Level: p.level, Reason: p.reason, RTT: p.rtt, Since: p.since,
	}
	if b := &p.belief; b.live(m.now) {
		s.Heard = true
		s.News = News{b.standing, int(b.cores), b.queued, m.now - b.issued}
	}
	return s
}

func (m *Machine) selfAsMember() Member {
	record := m.self.record
	return Member{
		ID: m.self.id, State: Alive, Tag: m.self.tag, Record: &record, Level: LevelSelf, Reason: BySelf,
		Heard: true, News: News{m.news.standing, m.news.load.FreeCores, m.news.load.Queued, 0},
	}
}

// Candidates returns members that are believed to stand so, no further than
// within, at most most of them: nearest first, and of one level the freshest
// news first. Who has the work, or the room, for it is the thief's and the victim's to find out.
func (m *Machine) Candidates(standing Standing, within Level, most int) []Member {
	var found []*peer
	for _, p := range m.roster.present {
		if p.level <= within && p.belief.standing&standing != 0 && p.belief.live(m.now) {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b *peer) int {
		return cmp.Or(cmp.Compare(a.level, b.level), cmp.Compare(b.belief.issued, a.belief.issued), cmp.Compare(a.id, b.id))
	})
	members := make([]Member, 0, min(len(found), max(most, 0)))
	for _, p := range found[:cap(members)] {
		members = append(members, m.snapshot(p))
	}
	return members
}
