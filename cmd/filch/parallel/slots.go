package parallel

import (
	"math/bits"
	"sync"
)

// Slots hands out {%}: small numbers from 1 such that no two commands that
// run at the same time have the same, always the lowest that is free. The
// zero value is ready. It is safe for concurrent use.
type Slots struct {
	mu   sync.Mutex
	used []uint64 // bit set: taken
}

// Acquire returns the lowest free slot.
func (s *Slots) Acquire() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, w := range s.used {
		if w != ^uint64(0) {
			b := bits.TrailingZeros64(^w)
			s.used[i] |= 1 << b
			return i*64 + b + 1
		}
	}
	s.used = append(s.used, 1)
	return (len(s.used)-1)*64 + 1
}

// Release gives a slot back.
func (s *Slots) Release(slot int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used[(slot-1)/64] &^= 1 << ((slot - 1) % 64)
}
