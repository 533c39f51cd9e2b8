package core

import (
	"slices"
	"time"
)

// When news is told. A node tells one random peer at each turn. Turns come every
// NewsInterval while anything stirs, and slow down to QuietInterval when nothing
// has for a while.
//
// One datagram per second spreads a rumour to 50 nodes in some eight seconds;
// thieves shall know in two. So a surplus that appears where less than
// enoughSurplus is known is urgent: it is told to urgentFanout peers at once,
// and who hears of it for the first time does the same (infect and die; Eugster
// et al. 2004: four reach 98 %, the turns reach the rest). That costs what a
// broadcast costs, so it is for the first surplus after a quiet time only, and a
// bucket bounds it for good, whatever the load does or members forge.
const (
	NewsInterval  = time.Second
	QuietInterval = 3 * time.Second
	quietAfter    = 10 * time.Second // without a change, before turns slow down
	newsJitter    = 20               // percent

	enoughSurplus = 2 // a thief needs two good candidates
	urgentFanout  = 4
	urgentAge     = 2 * time.Second // what is older is no rumour to spread further
	UrgentEvery   = 2 * time.Second // the bucket gains a datagram in this time
	UrgentBurst   = 8
)

// What a datagram carries beside the sender's own entry: the freshest of each.
const (
	tellSurplus = 3
	tellSettled = 2
	tellStarved = 2
)

// nearPercent is how often the peer is picked from host and rack, if there is
// any. Half keeps racks fresh and still mixes the whole.
const nearPercent = 50

// news is what this node says about itself, and when.
type news struct {
	load     Load
	standing Standing
	sequence uint32        // of the last own entry
	due      time.Duration // of the next turn, or Never while there is nobody to tell
	stirred  time.Duration // when something last changed
	urgent   bucket
}

func (n *news) begin(now time.Duration) {
	n.due, n.stirred = Never, now
	n.urgent = bucket{tokens: UrgentBurst, at: now}
}

// stir: something changed; turns come at their quick pace for a while.
func (m *Machine) stir() {
	m.news.stirred = m.now
	m.planTurn(NewsInterval)
}

// planTurn sets the next turn, and brings one forward that was set in quieter times.
func (m *Machine) planTurn(interval time.Duration) {
	if len(m.roster.present) == 0 {
		m.news.due = Never
		return
	}
	m.news.due = min(m.news.due, m.now+m.jitter(interval, newsJitter))
}

func (m *Machine) interval() time.Duration {
	if m.now-m.news.stirred < quietAfter || m.knownSurplus(nil, 1) > 0 || m.news.standing&Surplus != 0 {
		return NewsInterval
	}
	return QuietInterval
}

func (m *Machine) tellIfDue() {
	if m.now < m.news.due {
		return
	}
	m.news.due = Never
	if len(m.roster.present) > 0 {
		m.tell(m.someone())
		m.noticeSilence()
	}
	m.planTurn(m.interval())
}

func (m *Machine) loadChanged(l Load) {
	was := m.news.standing
	m.news.load, m.news.standing = l, l.Standing(was)
	if was == m.news.standing {
		return
	}
	m.stir()
	m.do(Changed{m.self.id, ChangedStanding})
	if m.news.standing&Surplus != 0 && m.knownSurplus(nil, enoughSurplus) < enoughSurplus {
		m.spread(nil)
	}
}

func (m *Machine) newsArrived(e NewsArrived) {
	d, err := decodeNews(e.Datagram)
	if err != nil {
		m.stats.RefusedMalformed++
		return
	}
	from := m.sender(e.From, d.entries[0])
	if from == nil {
		return
	}
	m.stats.NewsReceived++
	m.reconcile.heard = m.now
	for _, entry := range d.entries {
		m.heard(entry, from)
	}
	m.compareDigest(from, d.digest)
}

// sender returns who sent a datagram whose first entry is own, or nil if it is
// refused: the sender is no present member or another than it says, or the
// datagram was seen before.
func (m *Machine) sender(from ID, own Entry) *peer {
	p := m.roster.byHandle[own.who]
	switch {
	case p == nil || !p.state.Present():
		m.stats.RefusedStranger++
	case from != "" && from != p.id:
		m.stats.RefusedForged++
	case own.incarnation != uint16(p.tag.Incarnation), p.hasNews && !newer(own.sequence, p.lastNews):
		m.stats.RefusedReplay++
	default:
		p.hasNews, p.lastNews = true, own.sequence
		return p
	}
	return nil
}

// heard takes one entry, and passes it on at once if it is urgent.
func (m *Machine) heard(e Entry, from *peer) {
	p := m.roster.byHandle[e.who]
	had := p != nil && p.belief.surplus(m.now)
	_, taken := m.believe(e)
	if taken && !had && e.standing&Surplus != 0 && e.age <= urgentAge &&
		m.knownSurplus(p, enoughSurplus) < enoughSurplus {
		m.spread(from)
	}
}

// spread tells some peers at once, as far as the bucket goes; not who told.
func (m *Machine) spread(not *peer) {
	told := [urgentFanout + 1]*peer{not}
	for i := range urgentFanout {
		to := m.someoneBut(told[:i+1])
		if to == nil || !m.news.urgent.take(m.now, UrgentEvery, UrgentBurst) {
			return
		}
		told[i+1] = to
		m.stats.NewsUrgent++
		m.tell(to)
	}
}

// someoneBut picks a peer that is not among some, or nil if there is none or it
// is not found in a few tries.
func (m *Machine) someoneBut(some []*peer) *peer {
	if len(m.roster.present) == 0 {
		return nil
	}
	for range 4 * len(some) {
		if p := m.someone(); !slices.Contains(some, p) {
			return p
		}
	}
	return nil
}

// tell sends to one datagram.
func (m *Machine) tell(to *peer) {
	m.news.sequence++
	d := datagram{digest: m.digest.whole(), entries: append([]Entry{m.ownEntry()}, m.worthTelling(to)...)}
	b := d.encode()
	m.stats.NewsSent++
	m.stats.NewsSentBytes += uint64(len(b))
	m.do(SendNews{To: to.id, Datagram: b})
}

func (m *Machine) ownEntry() Entry {
	return Entry{
		who:         m.self.handle,
		incarnation: uint16(m.self.tag.Incarnation),
		sequence:    m.news.sequence,
		standing:    m.news.standing,
		freeCores:   uint16(min(max(m.news.load.FreeCores, 0), MaxCores-1)),
		queued:      m.news.load.Queued,
	}
}

// someone picks a present member, half of the time from nearby. There is one.
func (m *Machine) someone() *peer {
	if near := m.roster.near; len(near) > 0 && m.rand.IntN(100) < nearPercent {
		return near[m.rand.IntN(len(near))]
	}
	return m.anyone()
}

func (m *Machine) anyone() *peer {
	return m.roster.present[m.rand.IntN(len(m.roster.present))]
}
