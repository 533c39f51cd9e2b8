package exec

import "sync/atomic"

// maxSpan is the most tasks that a span holds: its ends are 16 bits each.
const maxSpan = 1<<16 - 1

// maxSpanSteal is the most tasks that are stolen from a span at once.
const maxSpanSteal = 32

// A span is the piece of a bag that a stack is working on, open to thieves:
// the owner takes single tasks from its low end, thieves take half from its
// high end. Both ends and a generation share one word, so that each take is
// one locked instruction, and a thief that was slow cannot mistake a new
// span for the old one.
//
//	word = generation (32 bits) | hi (16) | lo (16), relative to base
type span struct {
	word  atomic.Uint64
	chunk atomic.Pointer[chunk] // written by the owner before word
	base  atomic.Int64
}

func packSpan(gen, hi, lo uint64) uint64 { return gen<<32 | hi<<16 | lo }

func unpackSpan(w uint64) (gen, hi, lo uint64) { return w >> 32, w >> 16 & maxSpan, w & maxSpan }

// open publishes p, which has at most maxSpan tasks. The span is empty.
func (s *span) open(p piece) {
	gen, _, _ := unpackSpan(s.word.Load())
	s.chunk.Store(p.chunk)
	s.base.Store(p.lo)
	s.word.Store(packSpan((gen+1)&(1<<32-1), uint64(p.len()), 0))
}

// next takes the owner's next task, or reports that thieves have left none.
func (s *span) next() (i int64, ok bool) {
	for {
		w := s.word.Load()
		gen, hi, lo := unpackSpan(w)
		if lo >= hi {
			return 0, false
		}
		if s.word.CompareAndSwap(w, packSpan(gen, hi, lo+1)) {
			return s.base.Load() + int64(lo), true
		}
	}
}

// close takes all that is left, for the owner.
func (s *span) close() piece {
	for {
		w := s.word.Load()
		gen, hi, lo := unpackSpan(w)
		if s.word.CompareAndSwap(w, packSpan(gen, 0, 0)) {
			base := s.base.Load()
			return piece{s.chunk.Load(), base + int64(lo), base + int64(hi)}
		}
	}
}

// steal takes half of what is left, rounded up, at most maxSpanSteal tasks.
func (s *span) steal() (p piece, retry bool) {
	w := s.word.Load()
	gen, hi, lo := unpackSpan(w)
	if lo >= hi {
		return p, false
	}
	h, base := s.chunk.Load(), s.base.Load()
	n := min((hi-lo+1)/2, maxSpanSteal)
	if !s.word.CompareAndSwap(w, packSpan(gen, hi-n, lo)) {
		return p, true
	}
	// The word still was of the same generation, so chunk and base, which
	// change only between two generations, belong to it.
	return piece{h, base + int64(hi-n), base + int64(hi)}, false
}

// empty reports whether there was nothing to steal at some moment of the call.
func (s *span) empty() bool {
	_, hi, lo := unpackSpan(s.word.Load())
	return lo >= hi
}
