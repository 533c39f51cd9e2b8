package core

import (
	"iter"
	"slices"
	"sort"
)

// A Stretch is an interval of a Spans: all indices of it have the same value.
type Stretch[V comparable] struct {
	Span
	Value V
}

// Spans maps task indices to values, by stretches: sorted, disjoint, never
// empty, neighbours of equal value joined. A bag of a million tasks that share
// their fate is one Stretch; one of which every other task is out is half a
// million, so they are kept in blocks, and a change moves no more than two of
// these. The zero value is empty. It is not safe for concurrent use.
type Spans[V comparable] struct {
	blocks [][]Stretch[V] // none is empty
	size   uint64         // indices that have a value
}

// maxBlock bounds a block; one that outgrows it is halved.
const maxBlock = 128

// block is the position of the first block that ends after i.
func (m *Spans[V]) block(i uint64) int {
	return sort.Search(len(m.blocks), func(k int) bool { return last(m.blocks[k]).Hi > i })
}

func last[V comparable](b []Stretch[V]) *Stretch[V] { return &b[len(b)-1] }

// first is the position of the first run that ends after i.
func first[V comparable](b []Stretch[V], i uint64) int {
	return sort.Search(len(b), func(k int) bool { return b[k].Hi > i })
}

// Get returns the value at index i, and whether there is one.
func (m *Spans[V]) Get(i uint64) (v V, ok bool) {
	if k := m.block(i); k < len(m.blocks) {
		if r := &m.blocks[k][first(m.blocks[k], i)]; r.Lo <= i {
			return r.Value, true
		}
	}
	return v, false
}

// Len is the number of indices that have a value.
func (m *Spans[V]) Len() uint64 { return m.size }

// Set gives all of s the value v.
func (m *Spans[V]) Set(s Span, v V) { m.replace(s, Stretch[V]{s, v}) }

// Clear takes the values of s away.
func (m *Spans[V]) Clear(s Span) { m.replace(s) }

// replace puts at most one run in the place of all that lies in s.
func (m *Spans[V]) replace(s Span, with ...Stretch[V]) {
	if s.Lo >= s.Hi {
		return
	}
	// The blocks that s touches: a run that ends where s begins may be joined.
	from := sort.Search(len(m.blocks), func(k int) bool { return last(m.blocks[k]).Hi >= s.Lo })
	to := from
	for to < len(m.blocks) && m.blocks[to][0].Lo <= s.Hi {
		to++
	}
	switch {
	case to-from > 1: // make one of them
		m.blocks[from] = slices.Concat(m.blocks[from:to]...)
		m.blocks = slices.Delete(m.blocks, from+1, to)
	case to == from && from == len(m.blocks) && from > 0:
		from-- // behind the last
	case to == from && from == len(m.blocks):
		m.blocks = append(m.blocks, nil)
	}
	b, grown := replaced(m.blocks[from], s, with)
	m.size += grown
	if len(b) == 0 {
		m.blocks = slices.Delete(m.blocks, from, from+1)
		return
	}
	m.blocks[from] = b
	for ; len(m.blocks[from]) > maxBlock; from++ {
		b := m.blocks[from]
		half := min(maxBlock, len(b)/2)
		m.blocks = slices.Insert(m.blocks, from+1, slices.Clone(b[half:]))
		m.blocks[from] = b[:half:half]
	}
}

// replaced is b with at most one run in the place of all that lies in s, and by
// how many indices it has grown (modulo 2^64, when it has shrunk).
func replaced[V comparable](b []Stretch[V], s Span, with []Stretch[V]) (_ []Stretch[V], grown uint64) {
	from := first(b, s.Lo)
	to := from
	var fresh [5]Stretch[V]
	n := 0
	push := func(r Stretch[V]) {
		grown += r.Len()
		if n > 0 && fresh[n-1].Hi == r.Lo && fresh[n-1].Value == r.Value {
			fresh[n-1].Hi = r.Hi
			return
		}
		fresh[n] = r
		n++
	}
	if from > 0 && b[from-1].Hi == s.Lo {
		from--
		push(b[from])
	}
	if to < len(b) && b[to].Lo < s.Lo {
		push(Stretch[V]{Span{b[to].Lo, s.Lo}, b[to].Value})
	}
	for to < len(b) && b[to].Hi <= s.Hi {
		to++
	}
	for _, r := range with {
		push(r)
	}
	if to < len(b) && b[to].Lo <= s.Hi {
		push(Stretch[V]{Span{max(b[to].Lo, s.Hi), b[to].Hi}, b[to].Value})
		to++
	}
	for _, r := range b[from:to] {
		grown -= r.Len()
	}
	return slices.Replace(b, from, to, fresh[:n]...), grown
}

// In returns a copy of what lies in s, clipped to it. Changing m while going
// through it is safe.
func (m *Spans[V]) In(s Span) (in []Stretch[V]) {
	for k := m.block(s.Lo); k < len(m.blocks); k++ {
		b := m.blocks[k]
		for i := first(b, s.Lo); i < len(b); i++ {
			both, ok := b[i].meet(s)
			if !ok {
				return in
			}
			in = append(in, Stretch[V]{both, b[i].Value})
		}
	}
	return in
}

// Runs goes through all runs, in order. m must not be changed meanwhile.
func (m *Spans[V]) Runs() iter.Seq[Stretch[V]] {
	return func(yield func(Stretch[V]) bool) {
		for _, b := range m.blocks {
			for _, r := range b {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// Count is the number of indices that have the value v.
func (m *Spans[V]) Count(v V) (n uint64) {
	for r := range m.Runs() {
		if r.Value == v {
			n += r.Len()
		}
	}
	return n
}

// update gives every part of s the value that f makes of its present one.
func (m *Spans[V]) update(s Span, f func(V) V) {
	at := s.Lo
	var zero V
	for _, r := range m.In(s) {
		if at < r.Lo {
			m.Set(Span{at, r.Lo}, f(zero))
		}
		m.Set(r.Span, f(r.Value))
		at = r.Hi
	}
	if at < s.Hi {
		m.Set(Span{at, s.Hi}, f(zero))
	}
}

// minus is what of s is left without the parts, which must be sorted.
func (s Span) minus(parts []Span) (left []Span) {
	for _, p := range parts {
		both, ok := s.meet(p)
		if !ok {
			continue
		}
		if s.Lo < both.Lo {
			left = append(left, Span{s.Lo, both.Lo})
		}
		s.Lo = both.Hi
	}
	if s.Lo < s.Hi {
		left = append(left, s)
	}
	return left
}
