package core

import "time"

// When views are reconciled. Digests travel with the news. They differ for some seconds
// after every change, which Serf's gossip settles by itself; what persists is a
// message that gossip lost. That is for the one node that every datagram
// contradicts, not for those who hear from it now and then, so a single agreement
// starts the wait anew. The cost of a sync grows with the members, and so does
// the time between two; while they do not help, that doubles.
const (
	DigestPatience = 5 * time.Second // of disagreement with everybody
	digestVotes    = 2               // datagrams that disagree, at least

	SyncGap      = 10 * time.Second      // between two syncs of one node, at least
	SyncGapEach  = 50 * time.Millisecond // added for each member
	SyncTimeout  = 30 * time.Second      // for one that never ends
	maxSyncSlows = 5                     // doublings

	// Silence is after how long without a datagram from anybody a node with company asks
	// somebody: somebody tells it something every QuietInterval on average. Its own
	// datagrams may be refused, or others send theirs elsewhere.
	Silence = 20 * QuietInterval
)

// reconcile remembers what digests said since one last agreed.
type reconcile struct {
	votes  int           // datagrams that disagreed since the last that agreed
	since  time.Duration // of the first of them
	after  time.Duration // not before
	slower int           // doublings of the gap, since the last agreement
	gap    time.Duration // after the sync that is under way
	heard  time.Duration // when anybody was heard last, or company came
	with   ID            // the sync that is under way, or empty
}

func (m *Machine) compareDigest(from *peer, theirs uint64) {
	r := &m.reconcile
	if theirs == m.digest.whole() {
		m.stats.DigestsEqual++
		r.votes, r.slower = 0, 0
		return
	}
	m.stats.DigestsDiffered++
	m.stir()
	if r.votes++; r.votes == 1 {
		r.since = m.now
	}
	if r.votes < digestVotes || m.now-r.since < DigestPatience || m.now < r.after {
		return
	}
	m.syncWith(from)
}

// noticeSilence has a node ask somebody if nobody tells it anything.
func (m *Machine) noticeSilence() {
	if r := &m.reconcile; m.now-r.heard >= Silence && m.now >= r.after {
		m.syncWith(m.anyone())
	}
}

func (m *Machine) syncWith(from *peer) {
	r := &m.reconcile
	r.with = from.id
	r.gap = m.jitter((SyncGap+SyncGapEach*time.Duration(m.Present()))<<r.slower, 25)
	r.slower = min(r.slower+1, maxSyncSlows)
	r.after = m.now + max(r.gap, SyncTimeout)
	r.votes = 0
	m.stats.Syncs++
	m.do(Sync{With: from.id})
}

// syncEnded allows the next sync after its gap, instead of after SyncTimeout.
func (m *Machine) syncEnded(with ID) {
	r := &m.reconcile
	if r.with == "" || r.with != with {
		return
	}
	r.with = ""
	r.after = min(r.after, m.now+r.gap)
}
