package core

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Never is what NextWake returns when only an event can make a difference.
const Never = time.Duration(math.MaxInt64)

// A Config is what a Machine starts from.
type Config struct {
	Record      Record // this node's own; its ID is this node's ID
	Incarnation uint64 // of this start, on disk already
	Rand        *rand.Rand
}

// A Machine is one node's share of the membership: what it announces, whom it
// tells, what it believes and for how long. It is not safe for concurrent use; the
// driver holds a lock or gives it a goroutine. Times are monotonic durations since
// a moment that the driver chooses.
type Machine struct {
	now     time.Duration
	rand    *rand.Rand
	leaving bool
	out     []Effect // of the step that is under way

	self      own
	roster    roster
	digest    digest
	news      news
	fetch     fetch
	reconcile reconcile
	seeds     seeds
	stats     Stats
}

// New returns the machine of a node that knows nobody. It fails if the record is beyond a
// limit.
func New(now time.Duration, c Config) (*Machine, error) {
	if c.Rand == nil {
		return nil, fmt.Errorf("core: a machine needs a seeded random source")
	}
	m := &Machine{now: now, rand: c.Rand, roster: newRoster()}
	if err := m.self.begin(c.Record, c.Incarnation, now); err != nil {
		return nil, err
	}
	m.digest.flip(m.self.id, m.self.handle, m.self.tag)
	m.news.begin(now)
	m.fetch.begin()
	m.seeds.begin(now)
	return m, nil
}

// Step takes an event at time now and returns what to do about it, in order. A now that lies
// before an earlier one counts as that one. Call NextWake afterwards.
func (m *Machine) Step(now time.Duration, e Event) []Effect {
	m.now = max(now, m.now)
	switch e := e.(type) {
	case MemberSeen:
		m.memberSeen(e)
	case MemberGone:
		m.memberGone(e)
	case MemberForgotten:
		m.memberForgotten(e.ID)
	case Measured:
		m.measured(e.ID, e.RTT)
	case RecordArrived:
		m.recordArrived(e)
	case FetchEnded:
		m.fetchEnded(e.From)
	case NewsArrived:
		m.newsArrived(e)
	case LoadChanged:
		m.loadChanged(e.Load)
	case RecordChanged:
		m.recordChanged(e.Record)
	case IncarnationRaised:
		m.incarnationRaised(e.Incarnation)
	case SyncEnded:
		m.syncEnded(e.With)
	case SeedLearned:
		m.seedLearned(e.Seed)
	case Leaving:
		m.leaving = true
	}
	if !m.leaving {
		m.announceIfDue()
		m.fetchIfDue()
		m.tellIfDue()
		m.redialIfDue()
	}
	out := m.out
	m.out = nil
	return out
}

// NextWake returns the time at which the Machine wants a Tick, or Never. It
// changes only in Step.
func (m *Machine) NextWake() time.Duration {
	if m.leaving {
		return Never
	}
	return min(m.self.due, m.fetch.due, m.news.due, m.seeds.due)
}

// do adds an effect. Who is leaving says nothing more to anybody.
func (m *Machine) do(e Effect) {
	if _, inside := e.(Changed); inside || !m.leaving {
		m.out = append(m.out, e)
	}
}

// jitter returns d, off by up to percent of it in either direction.
func (m *Machine) jitter(d time.Duration, percent int) time.Duration {
	spread := d * time.Duration(percent) / 100
	if spread <= 0 {
		return d
	}
	return d - spread + time.Duration(m.rand.Int64N(int64(2*spread)+1))
}

// Own returns this node's tag, without a signature, and its encoded record, as last announced.
func (m *Machine) Own() (Tag, []byte) { return m.self.tag, m.self.encoded }
