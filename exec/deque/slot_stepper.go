//go:build stepper

package deque

import "github.com/filchsched/filch/exec/stepper"

// Capacity is small in builds for the stepper, so that a few pushes wrap
// around; tests set it before they make a Deque.
var Capacity = 2

type ring[T any] struct{ slots []slot[T] }

func (r *ring[T]) slot(i int64) *slot[T] {
	if r.slots == nil {
		return nil
	}
	return &r.slots[uint64(i)%uint64(len(r.slots))]
}

func (r *ring[T]) grow(i int64) *slot[T] {
	r.slots = make([]slot[T], Capacity)
	return r.slot(i)
}

// slot does what that of other builds does, with the same kinds of accesses:
// the plain ones are checked for races.
type slot[T any] struct{ p stepper.Mixed[T] }

func (s *slot[T]) free() bool { return s.p.Load() == nil }
func (s *slot[T]) put(x *T)   { s.p.Write(x) }
func (s *slot[T]) take() *T   { return s.p.Read() }
func (s *slot[T]) release()   { s.p.Store(nil) }

func (s *slot[T]) takeOwn() *T {
	x := s.p.Read()
	s.p.Write(nil)
	return x
}

// Name gives the words of the deque the names that traces show. It makes the
// ring as well, so that its slots have names.
func (d *Deque[T]) Name(name string) {
	stepper.Name(&d.top, "%s.top", name)
	stepper.Name(&d.bottom, "%s.bottom", name)
	if d.ring.slots == nil {
		d.ring.grow(0)
	}
	for i := range d.ring.slots {
		stepper.Name(&d.ring.slots[i].p, "%s.slot%d", name, i)
	}
}
