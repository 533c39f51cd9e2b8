package core

import (
	"fmt"
	"reflect"
	"time"
)

// AnnounceGap is the least time between two announcements of this node's record.
// Each costs every member a tag by broadcast (≈ 2 KB) and a fetch; addresses that
// flap must not become a load on the cluster.
const AnnounceGap = 5 * time.Second

// own is this node's own place in the membership: its record, as announced and as
// wanted.
type own struct {
	id      ID
	handle  handle
	record  Record // as announced
	encoded []byte // of record
	tag     Tag    // of encoded
	wanted  *Record
	last    time.Duration // of the last announcement
	due     time.Duration // of the next, or Never
	lost    uint64        // incarnation that RaiseIncarnation named last
}

func (o *own) begin(r Record, incarnation uint64, now time.Duration) error {
	o.id, o.handle, o.due, o.last = r.ID, handleOf(r.ID), Never, now-AnnounceGap
	return o.announce(r.Clone(), incarnation, 1)
}

func (o *own) announce(r Record, incarnation, sequence uint64) error {
	r.ID, r.Incarnation, r.Sequence = o.id, incarnation, sequence
	encoded, err := r.Encode()
	if err != nil {
		return err
	}
	o.record, o.encoded = r, encoded
	o.tag = Tag{Incarnation: incarnation, Sequence: sequence, Hash: HashOf(encoded)}
	return nil
}

// CheckOwn returns what is wrong with r as this node's next record. A driver asks
// before it sends RecordChanged, which ignores a record that is beyond a limit.
func (m *Machine) CheckOwn(r Record) error {
	if r.ID != "" && r.ID != m.self.id {
		return fmt.Errorf("core: the record of another member")
	}
	r.ID = m.self.id
	_, err := r.Encode()
	return err
}

func (m *Machine) recordChanged(r Record) {
	if m.CheckOwn(r) != nil {
		return
	}
	r = r.Clone()
	r.ID, r.Incarnation, r.Sequence = m.self.id, m.self.record.Incarnation, m.self.record.Sequence
	if reflect.DeepEqual(r, m.self.record) {
		m.self.wanted, m.self.due = nil, Never // changed and changed back
		return
	}
	m.self.wanted = &r
	m.self.due = m.self.last + AnnounceGap
}

func (m *Machine) announceIfDue() {
	if m.now < m.self.due {
		return
	}
	r, at := *m.self.wanted, m.self.tag
	m.self.wanted, m.self.due = nil, Never
	m.announce(r, at.Incarnation, at.Sequence+1)
}

// announce replaces this node's record. It was checked before, so it encodes.
func (m *Machine) announce(r Record, incarnation, sequence uint64) {
	before := m.self.tag
	if err := m.self.announce(r, incarnation, sequence); err != nil {
		return
	}
	m.self.last = m.now
	m.digest.flip(m.self.id, m.self.handle, before)
	m.digest.flip(m.self.id, m.self.handle, m.self.tag)
	m.stats.Announcements++
	m.do(Announce{Tag: m.self.tag, Encoded: m.self.encoded})
	for _, p := range m.roster.present {
		m.placeAgain(p)
	}
	m.stir()
}

// sawMyself compares what members have of this node with what it has itself. Its
// own older tags go round for a while after each announcement and mean nothing.
func (m *Machine) sawMyself(t Tag) {
	if Follow(t, m.self.tag) == nil || t.Incarnation <= m.self.lost {
		return
	}
	m.self.lost = t.Incarnation
	m.do(RaiseIncarnation{Above: t.Incarnation})
}

func (m *Machine) incarnationRaised(incarnation uint64) {
	if incarnation <= m.self.tag.Incarnation {
		return
	}
	r := m.self.record
	if m.self.wanted != nil {
		r = *m.self.wanted
	}
	m.self.wanted, m.self.due = nil, Never
	m.news.sequence = 0
	m.announce(r, incarnation, 1)
}
