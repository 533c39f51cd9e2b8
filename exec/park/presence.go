package park

import "math/bits"

// Places bounds the places that one Presence can tell apart.
const Places = 1024

// Presence is a job's knowledge of where work may be: one bit per place. A set
// bit means "look there"; a clear one means "nothing there, and who puts
// something there sets the bit and announces the job".
//
// The two sides pair as Dekker's do. A producer publishes work and then reads
// the bit; a searcher clears the bit and then looks for work once more. Both
// pairs are sequentially consistent, so at least one side sees the other.
// All methods are safe for concurrent use.
type Presence struct {
	words [Places / 64]Word
}

// Word returns the word that holds the bit of a place, and the bit's mask. An
// owner keeps both, which makes its test after each push one plain load.
func (p *Presence) Word(place int) (w *Word, mask uint64) {
	return &p.words[place/64], uint64(1) << (place % 64)
}

// Marked reports whether the bit is set.
func (p *Presence) Marked(place int) bool {
	w, m := p.Word(place)
	return w.Load()&m != 0
}

// Mark sets the bit and reports whether it was clear; the caller then
// announces the job.
func (p *Presence) Mark(place int) (first bool) {
	w, m := p.Word(place)
	return w.Or(m)&m == 0
}

// Clear clears the bit. The caller must look at the place once more
// afterwards, and Mark it again if it is not empty.
func (p *Presence) Clear(place int) {
	w, m := p.Word(place)
	w.And(^m)
}

// Any reports whether any bit was set at some moment of the call.
func (p *Presence) Any() bool {
	for i := range p.words {
		if p.words[i].Load() != 0 {
			return true
		}
	}
	return false
}

// Each calls visit for each set bit, lowest first, until visit returns false.
func (p *Presence) Each(visit func(place int) bool) {
	for i := range p.words {
		for w := p.words[i].Load(); w != 0; w &= w - 1 {
			if !visit(i*64 + bits.TrailingZeros64(w)) {
				return
			}
		}
	}
}
