package cost

import "time"

// A Model is what one node knows about where tasks take how long. It is a plain state machine: times come in as
// arguments, in one monotonic time, and it is not safe for concurrent use. Make one with New.
type Model struct {
	peers     []peer // by slot; ID "" is a free one
	slots     map[string]int32
	free      []int32
	self      int32                // −1: not met
	functions map[string]*function // those that were asked for or learnt of lately
	old       map[string]*function // and before; forgotten when the others are too many
	errors    errorRatio
}

// maxFunctions bounds the names that are remembered: of twice as many, those used last.
const maxFunctions = 4096

// notMet is why somebody who is known only from outcomes is no candidate.
const notMet = "is not known to be a member"

// MaxPeers bounds the members that are known.
const MaxPeers = 1 << 16

// New returns a Model that knows nobody.
func New() *Model {
	return &Model{slots: make(map[string]int32), self: -1, functions: make(map[string]*function)}
}

// Meet says who is there, this node included, and what is known of each. Who is not among them any more is forgotten,
// with what was learnt of it; who stays keeps that. List is not kept.
func (m *Model) Meet(list []Peer) {
	met := 0
	for k := range list {
		m.Update(list[k])
		met++
	}
	if len(m.slots) <= met {
		return
	}
	here := make(map[string]bool, met)
	for k := range list {
		here[list[k].ID] = true
	}
	for id, slot := range m.slots {
		if !here[id] {
			m.leave(id, slot)
		}
	}
}

// Update takes in what is known of one member.
func (m *Model) Update(from Peer) {
	slot, known := m.slots[from.ID]
	if !known {
		if from.ID == "" || len(m.slots) >= MaxPeers {
			return
		}
		if n := len(m.free); n > 0 {
			slot, m.free = m.free[n-1], m.free[:n-1]
		} else {
			slot = int32(len(m.peers))
			m.peers = append(m.peers, peer{slot: slot})
		}
		m.slots[from.ID] = slot
	}
	if from.Self {
		m.self = slot
	}
	m.peers[slot].become(from)
}

func (m *Model) leave(id string, slot int32) {
	delete(m.slots, id)
	m.peers[slot] = peer{slot: slot, born: m.peers[slot].born + 1}
	m.free = append(m.free, slot)
	if m.self == slot {
		m.self = -1
	}
}

func (m *Model) peer(id string) *peer {
	if slot, ok := m.slots[id]; ok {
		return &m.peers[slot]
	}
	return nil
}

// Learn takes in what tasks of a function took at a member. One that was not met yet is no candidate until it is; what
// ran there is remembered until the next Meet that does not name it.
func (m *Model) Learn(now time.Duration, name, peer string, s Sample) {
	p := m.peer(peer)
	if p == nil {
		m.Update(Peer{ID: peer, Away: notMet})
		p = m.peer(peer)
	}
	if p == nil || s.Ran < 0 {
		return
	}
	f := m.function(name)
	f.learn(now, p, s)
	t := f.track(p)
	t.seen, t.ran = max(now, 1), float64(s.Ran)
	p.settle()
}

// function is what is known of a function, made if need be.
func (m *Model) function(name string) *function {
	f := m.functions[name]
	if f != nil {
		return f
	}
	if f = m.old[name]; f == nil {
		f = &function{asked: logSize(0), stay: stay{peer: -1}, trial: trial{peer: -1}}
	}
	if len(m.functions) >= maxFunctions {
		m.old, m.functions = m.functions, make(map[string]*function)
	}
	m.functions[name] = f
	return f
}
