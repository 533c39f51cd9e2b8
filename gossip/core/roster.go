package core

import (
	"cmp"
	"slices"
	"time"
)

// MaxMembers bounds the members that are remembered, gone ones included, so that
// somebody who makes up identities by the thousand costs a node some megabytes
// and not more. It is twice what filch is designed for.
const MaxMembers = 20_000

// MaxGone bounds the members that left or failed and are remembered for their last tag;
// the ones gone longest make room.
const MaxGone = 2_000

// a peer is all that is kept about one other member.
type peer struct {
	id     ID
	handle handle
	state  State
	since  time.Duration
	tag    Tag

	record  *Record // of tag, or of an earlier one while the new one is fetched
	encoded []byte  // of tag; nil until it has arrived, and again once the peer is gone
	want    want

	rtt    time.Duration
	level  Level
	reason LevelReason

	belief    belief
	lastNews  uint32 // sequence of the last datagram that came from the peer itself
	hasNews   bool
	inPresent int // index in roster.present, or -1
	inNear    int // index in roster.near, or -1
}

// roster is the members other than this node.
type roster struct {
	byID     map[ID]*peer
	byHandle map[handle]*peer
	present  []*peer // alive and suspect, in no order that means anything
	near     []*peer // of those, the ones no further than the rack
	gone     []*peer // left and failed, longest first
}

func newRoster() roster {
	return roster{byID: make(map[ID]*peer), byHandle: make(map[handle]*peer)}
}

func (m *Machine) memberSeen(e MemberSeen) {
	switch {
	case !e.State.Present() || len(e.ID) == 0 || len(e.ID) > MaxIDLen:
		return
	case e.ID == m.self.id:
		m.sawMyself(e.Tag)
		return
	}
	p := m.roster.byID[e.ID]
	if p == nil {
		if p = m.admit(e.ID); p == nil {
			return
		}
		p.tag = e.Tag
	} else if !m.mayFollow(p, e.Tag) {
		return
	}
	was := p.state
	m.enter(p, e.State, e.Tag)
	if e.RTT > 0 {
		p.rtt = e.RTT
	}
	m.placeAgain(p)
	if was != p.state {
		p.since = m.now
		m.do(Changed{p.id, ChangedState})
	}
}

// admit makes room for a new member, or refuses it.
func (m *Machine) admit(id ID) *peer {
	r := &m.roster
	h := handleOf(id)
	if len(r.byID) >= MaxMembers && len(r.gone) > 0 {
		m.forget(r.gone[0])
	}
	if len(r.byID) >= MaxMembers || r.byHandle[h] != nil || h == m.self.handle {
		m.stats.MembersRefused++
		return nil
	}
	p := &peer{id: id, handle: h, inPresent: -1, inNear: -1}
	r.byID[id], r.byHandle[h] = p, p
	return p
}

func (m *Machine) mayFollow(p *peer, offered Tag) bool {
	switch Follow(p.tag, offered).(type) {
	case nil:
		return true
	case *ForkError:
		m.stats.TagsForked++
	default:
		m.stats.TagsRolledBack++
	}
	return false
}

// enter makes p present with a tag.
func (m *Machine) enter(p *peer, s State, t Tag) {
	back := !p.state.Present()
	if back {
		m.ungone(p)
		m.roster.present = insert(m.roster.present, p, &p.inPresent)
		if len(m.roster.present) == 1 {
			m.reconcile.heard = m.now
		}
	} else if p.tag != t {
		m.digest.flip(p.id, p.handle, p.tag)
	}
	renewed := p.tag.Hash != t.Hash || p.encoded == nil
	if p.tag.Incarnation != t.Incarnation {
		p.belief, p.hasNews = belief{}, false
	}
	if back || p.tag != t {
		m.digest.flip(p.id, p.handle, t)
		m.stir()
	}
	p.state, p.tag = s, t
	if renewed {
		m.keep(p, nil)
		m.wantRecord(p)
	}
}

func (m *Machine) memberGone(e MemberGone) {
	p := m.roster.byID[e.ID]
	if p == nil || e.State.Present() || e.State == p.state {
		return
	}
	if p.state.Present() {
		m.digest.flip(p.id, p.handle, p.tag)
		m.roster.present = remove(m.roster.present, p, func(q *peer) *int { return &q.inPresent })
		m.roster.near = remove(m.roster.near, p, func(q *peer) *int { return &q.inNear })
		m.roster.gone = append(m.roster.gone, p)
		m.unwant(p)
		p.belief = belief{}
		m.keep(p, nil)
		m.stir()
	}
	p.state, p.since = e.State, m.now
	if e.State == Failed && p.record != nil {
		m.seedLearned(Seed{ID: p.id, Addrs: p.record.Addrs})
	}
	m.do(Changed{p.id, ChangedState})
	if len(m.roster.gone) > MaxGone {
		m.forget(m.roster.gone[0])
	}
}

func (m *Machine) memberForgotten(id ID) {
	p := m.roster.byID[id]
	if p == nil {
		return
	}
	if p.state.Present() {
		m.memberGone(MemberGone{ID: id, State: Failed})
	}
	m.forget(p)
}

// forget removes a gone member.
func (m *Machine) forget(p *peer) {
	m.ungone(p)
	delete(m.roster.byID, p.id)
	if m.roster.byHandle[p.handle] == p {
		delete(m.roster.byHandle, p.handle)
	}
	m.do(Changed{p.id, ChangedState})
}

func (m *Machine) ungone(p *peer) {
	if i := slices.Index(m.roster.gone, p); i >= 0 {
		m.roster.gone = slices.Delete(m.roster.gone, i, i+1)
	}
}

func (m *Machine) measured(id ID, rtt time.Duration) {
	if p := m.roster.byID[id]; p != nil && rtt > 0 {
		first, level, reason := p.rtt == 0, p.level, p.reason
		p.rtt = rtt
		m.placeAgain(p)
		if first && level == p.level && reason == p.reason {
			m.do(Changed{p.id, ChangedLevel})
		}
	}
}

// placeAgain concludes p's level anew.
func (m *Machine) placeAgain(p *peer) {
	was, why := p.level, p.reason
	p.level, p.reason = LevelBetween(&m.self.record, p.record, p.rtt, p.level)
	isNear := p.level <= LevelRack && p.state.Present()
	switch {
	case isNear && p.inNear < 0:
		m.roster.near = insert(m.roster.near, p, &p.inNear)
	case !isNear && p.inNear >= 0:
		m.roster.near = remove(m.roster.near, p, func(q *peer) *int { return &q.inNear })
	}
	if was != p.level || why != p.reason {
		m.do(Changed{p.id, ChangedLevel})
	}
}

func insert(all []*peer, p *peer, at *int) []*peer {
	*at = len(all)
	return append(all, p)
}

// remove takes p out in constant time; the last one takes its place.
func remove(all []*peer, p *peer, at func(*peer) *int) []*peer {
	i := *at(p)
	if i < 0 {
		return all
	}
	last := all[len(all)-1]
	all[i] = last
	*at(last) = i
	*at(p) = -1
	all[len(all)-1] = nil
	return all[:len(all)-1]
}

// Member returns what is known about a member, this node included.
func (m *Machine) Member(id ID) (Member, bool) {
	if id == m.self.id {
		return m.selfAsMember(), true
	}
	p := m.roster.byID[id]
	if p == nil {
		return Member{}, false
	}
	return m.snapshot(p), true
}

// Members returns all that is known, this node and gone members included, ordered by ID.
func (m *Machine) Members() []Member {
	all := make([]Member, 0, len(m.roster.byID)+1)
	all = append(all, m.selfAsMember())
	for _, p := range m.roster.byID {
		all = append(all, m.snapshot(p))
	}
	slices.SortFunc(all, func(a, b Member) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// Present returns how many members are alive or suspect, this node included.
func (m *Machine) Present() int { return len(m.roster.present) + 1 }
