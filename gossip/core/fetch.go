package core

import (
	"cmp"
	"slices"
	"time"
)

// How records are fetched. A mass join makes every node want every record at
// once, and asking each owner would open a connection between every two nodes. So
// one peer is asked at a time for as many as fit, at random, and what a peer has doubles with
// every round; whoever had most of it is asked for the next batch, too. One new
// record spreads like a rumour in reverse: most of those who miss it ask somebody
// at random, a few ask the owner, and a round later there are more to ask.
const (
	MaxFetch     = 128                    // hashes asked for at once: some 50 KB of answers
	FetchDelay   = 100 * time.Millisecond // lets a batch form after the first want
	FetchGap     = 50 * time.Millisecond  // between two fetches
	FetchAgain   = 200 * time.Millisecond // before the rest is asked for again, if some of it came, ± half
	FetchTimeout = 5 * time.Second        // for an answer that never ends
	FetchRetry   = time.Second            // the same if nothing came
	maxRetry     = time.Minute            // what the retries slow down to
	patientTries = 8                      // tries before they do
)

// ownerAsks is how many members in all should turn to the owner of a new record
// in the first round. Each round doubles it.
const ownerAsks = 8

// MaxCached bounds the encoded records that are kept to be served, in bytes. Beyond it no record is
// fetched until members leave; all 10,000 typical ones are 4 MB.
const MaxCached = 32 << 20

// A want is a present member's record that is missing.
type want struct {
	wanted bool
	tries  int           // that brought nothing at all
	at     time.Duration // not before
	asked  bool          // in the fetch that is under way
	index  int           // in fetch.wanting
}

type fetch struct {
	wanting []*peer
	due     time.Duration // when to look again, or Never
	from    *peer         // who is being asked, nil for nobody
	good    *peer         // who delivered most of the last batch
	brought int           // wanted records that from has delivered
	cached  int           // bytes of all encoded records
}

func (f *fetch) begin() { f.due = Never }

func (m *Machine) wantRecord(p *peer) {
	if p.want.wanted {
		p.want.tries, p.want.at, p.want.asked = 0, m.now, false // another record than before
	} else {
		p.want = want{wanted: true, at: m.now, index: len(m.fetch.wanting)}
		m.fetch.wanting = append(m.fetch.wanting, p)
	}
	if m.fetch.from == nil {
		m.fetch.due = min(m.fetch.due, m.now+m.jitter(FetchDelay, 50))
	}
}

func (m *Machine) unwant(p *peer) {
	if m.fetch.from == p {
		m.fetchEnded(p.id)
	}
	if m.fetch.good == p {
		m.fetch.good = nil
	}
	if p.want.wanted {
		m.fetch.remove(p)
	}
}

// remove takes p's want back, in constant time.
func (f *fetch) remove(p *peer) {
	all := f.wanting
	last := all[len(all)-1]
	all[p.want.index], last.want.index = last, p.want.index
	f.wanting = all[:len(all)-1]
	p.want = want{}
}

func (m *Machine) fetchIfDue() {
	if m.now < m.fetch.due {
		return
	}
	if m.fetch.from != nil {
		m.fetchEnded(m.fetch.from.id) // the time-out
		return
	}
	m.fetch.due = Never
	batch := m.wantedNow()
	switch {
	case len(batch) == 0:
		m.planFetch(FetchGap)
		return
	case m.fetch.cached >= MaxCached:
		m.planFetch(maxRetry)
		return
	}
	from := m.whomToAsk(batch)
	hashes := make([]Hash, len(batch))
	for i, p := range batch {
		p.want.asked = true
		hashes[i] = p.tag.Hash
	}
	m.fetch.from, m.fetch.brought, m.fetch.due = from, 0, m.now+FetchTimeout
	m.stats.Fetches++
	m.do(FetchRecords{From: from.id, Hashes: hashes})
}

func (m *Machine) wantedNow() (batch []*peer) {
	for _, p := range m.fetch.wanting {
		if p.want.at <= m.now && len(batch) < MaxFetch {
			batch = append(batch, p)
		}
	}
	return batch
}

// whomToAsk: the owner has its record for sure; others may have many more of the
// batch. The want that was missed most often decides.
func (m *Machine) whomToAsk(batch []*peer) *peer {
	most := slices.MaxFunc(batch, func(a, b *peer) int { return cmp.Compare(a.want.tries, b.want.tries) })
	tries := most.want.tries
	byChance := m.rand.IntN(len(m.roster.present)) < ownerAsks<<min(tries, 16)
	switch {
	case byChance && (tries > 0 || m.fetch.good == nil):
		return most
	case m.fetch.good != nil:
		return m.fetch.good
	}
	return m.anyone()
}

func (m *Machine) recordArrived(e RecordArrived) {
	r, err := DecodeRecord(e.Encoded)
	p := m.roster.byID[r.ID]
	if err != nil || p == nil || !p.want.wanted || HashOf(e.Encoded) != p.tag.Hash ||
		r.Incarnation != p.tag.Incarnation || r.Sequence != p.tag.Sequence {
		m.stats.RecordsRefused++
		return
	}
	if m.fetch.from != nil && m.fetch.from.id == e.From {
		m.fetch.brought++
	}
	m.stats.RecordsTaken++
	m.fetch.remove(p)
	p.record = &r
	m.keep(p, e.Encoded)
	m.do(Changed{p.id, ChangedRecord})
	m.placeAgain(p)
}

func (m *Machine) fetchEnded(from ID) {
	if m.fetch.from == nil || m.fetch.from.id != from {
		return
	}
	asked := 0
	luck := m.jitter(time.Second, 50) // one for all, so that what is missed together fits into one question
	for _, p := range m.fetch.wanting {
		w := &p.want
		if !w.asked {
			continue
		}
		asked++
		w.asked = false
		wait := FetchAgain
		if m.fetch.brought == 0 {
			w.tries++
			wait = retryAfter(w.tries)
		}
		w.at = m.now + time.Duration(float64(wait)*luck.Seconds())
	}
	m.fetch.good = nil
	switch {
	case m.fetch.brought == 0:
		m.stats.FetchesFailed++
	case m.fetch.brought >= asked:
		m.fetch.good = m.fetch.from
	}
	m.fetch.from = nil
	m.planFetch(FetchGap)
}

func retryAfter(tries int) time.Duration {
	return min(FetchRetry<<min(max(tries-patientTries, 0), 10), maxRetry)
}

// planFetch sets the time of the next fetch: the first want's, but not at once.
func (m *Machine) planFetch(gap time.Duration) {
	m.fetch.due = Never
	for _, p := range m.fetch.wanting {
		m.fetch.due = min(m.fetch.due, max(p.want.at, m.now+gap))
	}
}

// keep caches p's encoded record, or drops it if nil.
func (m *Machine) keep(p *peer, encoded []byte) {
	m.fetch.cached += len(encoded) - len(p.encoded)
	p.encoded = encoded
}

// Records returns the encoded records of these hashes, as far as they are known: this node's
// own and those of present members. Whoever serves a peer bounds how many it may
// ask for by MaxFetch.
func (m *Machine) Records(hashes []Hash) (encoded [][]byte) {
	asked := make(map[Hash]bool, len(hashes))
	for _, h := range hashes {
		asked[h] = true
	}
	if asked[m.self.tag.Hash] {
		encoded = append(encoded, m.self.encoded)
	}
	for _, p := range m.roster.present {
		if p.encoded != nil && asked[p.tag.Hash] {
			encoded = append(encoded, p.encoded)
		}
	}
	return encoded
}
