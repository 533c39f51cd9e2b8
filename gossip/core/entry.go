package core

import "time"

// An Entry is one line of load news: how busy one member is, and how long ago it
// said so.
type Entry struct {
	who         handle
	incarnation uint16 // the low bits; the whole is in the member's signed tag
	sequence    uint32 // counts the news of an incarnation; compared as in RFC 1982
	standing    Standing
	freeCores   uint16
	queued      time.Duration // in units of queuedUnit, rounded down
	age         time.Duration // in units of ageUnit, rounded down
}

// MaxDatagramLen bounds a datagram of news before it is sealed, in bytes.
const MaxDatagramLen = 512

// freshest keeps the peers with the youngest beliefs, at most cap(list), youngest
// first.
type freshest struct{ list []*peer }

func (f *freshest) offer(p *peer) {
	i := len(f.list)
	for i > 0 && p.belief.issued > f.list[i-1].belief.issued {
		i--
	}
	switch {
	case i == cap(f.list):
		return
	case len(f.list) < cap(f.list):
		f.list = append(f.list, nil)
	}
	copy(f.list[i+1:], f.list[i:])
	f.list[i] = p
}

// worthTelling returns the entries that to may have a use for: who has surplus,
// who no longer has, who is starved.
func (m *Machine) worthTelling(to *peer) []Entry {
	var store [tellSurplus + tellSettled + tellStarved]*peer
	surplus := freshest{store[0:0:tellSurplus]}
	settled := freshest{store[tellSurplus : tellSurplus : tellSurplus+tellSettled]}
	starved := freshest{store[tellSurplus+tellSettled : tellSurplus+tellSettled]}
	for _, p := range m.roster.present {
		switch b := &p.belief; {
		case p == to || !b.live(m.now):
		case b.surplus(m.now):
			surplus.offer(p)
		case b.settling(m.now):
			settled.offer(p)
		case b.standing&Starved != 0:
			starved.offer(p)
		}
	}
	var entries []Entry
	for _, some := range []freshest{surplus, settled, starved} {
		for _, p := range some.list {
			entries = append(entries, m.entryOf(p))
		}
	}
	return entries
}

func (m *Machine) entryOf(p *peer) Entry {
	b := &p.belief
	return Entry{
		who: p.handle, incarnation: uint16(p.tag.Incarnation), sequence: b.sequence,
		standing: b.standing, freeCores: b.cores, queued: b.queued, age: m.now - b.issued,
	}
}
