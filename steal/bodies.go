package steal

import (
	"maps"
	"slices"
	"sync"

	"github.com/filchsched/filch/steal/core"
)

// A bodyKey names what one peer says that the tasks of a job are. What another one says of the same job is
// not mixed with it: only who granted a task is believed.
type bodyKey struct {
	peer core.PeerID
	job  core.JobID
}

// bodies keeps what tasks that are held for others are, until they have ended here. Readers of streams put
// into it and the loop takes out of it; what does not fit any more is fetched again when it is needed.
type bodies struct {
	mu   sync.Mutex
	of   map[bodyKey]*jobBodies
	size int // bytes of all bodies
}

type jobBodies struct {
	header    []byte
	hasHeader bool
	data      map[uint64][]byte // by index
}

// bodyCost is what a body costs beside its bytes.
const bodyCost = 48

func newBodies() *bodies { return &bodies{of: make(map[bodyKey]*jobBodies)} }

func (b *bodies) job(k bodyKey) *jobBodies {
	j := b.of[k]
	if j == nil {
		j = &jobBodies{data: make(map[uint64][]byte)}
		b.of[k] = j
	}
	return j
}

func (b *bodies) putHeader(k bodyKey, header []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.roomFor(k) {
		return
	}
	j := b.job(k)
	j.header, j.hasHeader = header, true
}

// roomFor tells whether there is room for another job's. Headers make some of which no task is here: they are fetched
// with the next one's body, if that comes without.
func (b *bodies) roomFor(k bodyKey) bool {
	if len(b.of) < maxHeaders || b.of[k] != nil {
		return true
	}
	maps.DeleteFunc(b.of, func(_ bodyKey, j *jobBodies) bool { return len(j.data) == 0 })
	return len(b.of) < maxHeaders
}

// put takes in the bodies of the tasks from lo on.
func (b *bodies) put(k bodyKey, lo uint64, data [][]byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.roomFor(k) {
		return
	}
	j := b.job(k)
	for i, d := range data {
		if b.size+len(d)+bodyCost > maxBodies {
			return
		}
		if _, ok := j.data[lo+uint64(i)]; !ok {
			b.size += len(d) + bodyCost
			j.data[lo+uint64(i)] = d
		}
	}
}

// get returns header and bodies of a span, and the part of it that is missing, from its first missing
// task on.
func (b *bodies) get(k bodyKey, s core.Span) (header []byte, data [][]byte, missing core.Span, noHeader bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	j := b.of[k]
	if j == nil {
		return nil, nil, s, true
	}
	data = make([][]byte, 0, s.Len())
	for i := s.Lo; i < s.Hi; i++ {
		d, ok := j.data[i]
		if !ok {
			return j.header, data, core.Span{Lo: i, Hi: s.Hi}, !j.hasHeader
		}
		data = append(data, d)
	}
	return j.header, data, core.Span{Lo: s.Hi, Hi: s.Hi}, !j.hasHeader
}

// find is get for whoever does not know who granted a task: it looks at all peers.
func (b *bodies) find(job core.JobID, s core.Span) (header []byte, data [][]byte, ok bool) {
	b.mu.Lock()
	var keys []bodyKey
	for k := range b.of {
		if k.job == job {
			keys = append(keys, k)
		}
	}
	b.mu.Unlock()
	for _, k := range keys {
		h, d, _, noHeader := b.get(k, s)
		if len(d) > 0 && !noHeader {
			return h, d, true
		}
	}
	return nil, nil, false
}

// drop forgets the bodies of a span.
func (b *bodies) drop(k bodyKey, s core.Span) {
	b.mu.Lock()
	defer b.mu.Unlock()
	j := b.of[k]
	if j == nil || len(j.data) == 0 {
		return
	}
	if s.Len() > uint64(len(j.data)) {
		for i, d := range j.data {
			if s.Lo <= i && i < s.Hi {
				b.size -= len(d) + bodyCost
				delete(j.data, i)
			}
		}
		return
	}
	for i := s.Lo; i < s.Hi; i++ {
		if d, ok := j.data[i]; ok {
			b.size -= len(d) + bodyCost
			delete(j.data, i)
		}
	}
}

// forget drops all of a job, the headers too.
func (b *bodies) forget(job core.JobID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for k, j := range b.of {
		if k.job != job {
			continue
		}
		for _, d := range j.data {
			b.size -= len(d) + bodyCost
		}
		delete(b.of, k)
	}
}

// jobs names the jobs of which anything is kept.
func (b *bodies) jobs() []core.JobID {
	b.mu.Lock()
	defer b.mu.Unlock()
	seen := make(map[core.JobID]struct{}, len(b.of))
	for k := range b.of {
		seen[k.job] = struct{}{}
	}
	return slices.Collect(maps.Keys(seen))
}
