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

// Acquire returns the lowest free slot, or wanted if that is free. Commands
// that start together reach us in any order; with its own number as the slot it wants each
// of the first ones gets what it would get if they came one by one. wanted 0 is
// no wish.
func (s *Slots) Acquire(wanted int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := wanted - 1; w >= 0 {
		for w/64 >= len(s.used) {
			s.used = append(s.used, 0)
		}
		if s.used[w/64]&(1<<(w%64)) == 0 {
			s.used[w/64] |= 1 << (w % 64)
			return wanted
		}
	}
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
