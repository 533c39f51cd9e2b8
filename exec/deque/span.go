package deque

// MaxSpan is the most indices that a Span holds: its ends are 16 bits each.
const MaxSpan = 1<<16 - 1

// MaxSpanSteal is the most indices that are stolen from a Span at once. More
// would leave the owner with nothing after a few thieves have come.
const MaxSpanSteal = 32

// A Span is a run of indices into a body that its owner works through, open to
// thieves: the owner takes single indices from the low end, thieves take half
// from the high end. One goroutine, the owner, calls Open, Next and Close; any
// goroutine may call Steal and Empty. The zero Span is empty.
//
// Both ends and a generation share one word, so that each take is one locked
// instruction, and a thief that was slow cannot mistake a new run for the one
// that it has looked at:
//
//	word = generation (32 bits) | hi (16) | lo (16), relative to base
//
// A body is what the indices are indices of; a Span does not look at it.
type Span[T any] struct {
	word word
	body pointer[T] // written by the owner before word, while the Span is empty
	base index      // the same
}

const (
	spanBits = 16
	spanEnd  = 1<<spanBits - 1
)

func packSpan(generation, hi, lo uint64) uint64 {
	return generation<<(2*spanBits) | hi<<spanBits | lo
}

func unpackSpan(w uint64) (generation, hi, lo uint64) {
	return w >> (2 * spanBits), w >> spanBits & spanEnd, w & spanEnd
}

// Open publishes the indices from lo up to, not including, hi; at most MaxSpan.
// The Span must be empty.
func (s *Span[T]) Open(body *T, lo, hi int64) {
	generation, _, _ := unpackSpan(s.word.Load())
	s.body.Store(body)
	s.base.Store(lo)
	s.word.Store(packSpan(generation+1, uint64(hi-lo), 0))
}

// Next takes the lowest index, or reports that there is none left.
func (s *Span[T]) Next() (i int64, ok bool) {
	for {
		w := s.word.Load()
		generation, hi, lo := unpackSpan(w)
		if lo >= hi {
			return 0, false
		}
		if s.word.CompareAndSwap(w, packSpan(generation, hi, lo+1)) {
			return s.base.Load() + int64(lo), true
		}
	}
}

// Close takes all that is left: the indices from lo up to, not including, hi.
func (s *Span[T]) Close() (body *T, lo, hi int64) {
	for {
		w := s.word.Load()
		generation, end, begin := unpackSpan(w)
		if s.word.CompareAndSwap(w, packSpan(generation, 0, 0)) {
			base := s.base.Load()
			return s.body.Load(), base + int64(begin), base + int64(end)
		}
	}
}

// Steal takes half of what is left, rounded up, at most MaxSpanSteal indices:
// those from lo up to, not including, hi, of a body. There is no body if
// nothing was left, or, with retry true, if somebody else took something
// at the same time.
func (s *Span[T]) Steal() (body *T, lo, hi int64, retry bool) {
	w := s.word.Load()
	generation, end, begin := unpackSpan(w)
	if begin >= end {
		return nil, 0, 0, false
	}
	body, base := s.body.Load(), s.base.Load()
	n := min((end-begin+1)/2, MaxSpanSteal)
	if !s.word.CompareAndSwap(w, packSpan(generation, end-n, begin)) {
		return nil, 0, 0, true
	}
	// The word was still of the same generation, so body and base, which
	// change only between two generations, belong to it.
	return body, base + int64(end-n), base + int64(end), false
}

// Empty reports whether there was nothing to steal at some moment of the call.
func (s *Span[T]) Empty() bool {
	_, hi, lo := unpackSpan(s.word.Load())
	return lo >= hi
}
