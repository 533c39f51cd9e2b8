//go:build !stepper

package deque

import (
	"sync/atomic"
	"unsafe"
)

// Capacity is the number of slots of a Deque. A spawn that finds no slot runs
// inline, which costs nothing but the chance to be stolen, and a thousand
// tasks are chance enough; so the ring never grows and has no growth races.
const Capacity = 1024

// ring is the storage: slots by index modulo Capacity.
type ring[T any] struct {
	slots *[Capacity]slot[T]
}

// slot returns the slot of index i, or nil before the first grow.
func (r *ring[T]) slot(i int64) *slot[T] {
	if r.slots == nil {
		return nil
	}
	return &r.slots[uint64(i)%Capacity]
}

func (r *ring[T]) grow(i int64) *slot[T] {
	r.slots = new([Capacity]slot[T])
	return r.slot(i)
}

// A slot holds one element. nil means free. The owner writes and reads it with
// plain instructions, as its stores are published by bottom; a thief reads it
// plainly after it has claimed the index, and hands it back with an atomic
// store of nil that the owner's atomic load in free observes before it writes
// again (the hand-over of sync/poolqueue.go).
type slot[T any] struct{ p unsafe.Pointer }

func (s *slot[T]) free() bool { return atomic.LoadPointer(&s.p) == nil }
func (s *slot[T]) put(x *T)   { s.p = unsafe.Pointer(x) }
func (s *slot[T]) take() *T   { return (*T)(s.p) }
func (s *slot[T]) release()   { atomic.StorePointer(&s.p, nil) }

func (s *slot[T]) takeOwn() *T {
	x := (*T)(s.p)
	s.p = nil
	return x
}
