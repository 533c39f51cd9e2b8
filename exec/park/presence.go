package park

import "math/bits"

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

// Clear clears the bit of a place where nothing can be: one that the caller
// itself puts things into, or that a lock guards. Others call Vacate.
func (p *Presence) Clear(place int) {
	w, m := p.Word(place)
	w.And(^m)
}

// Vacate clears the bit of a place that the caller has found empty, and looks
// once more, by calling empty. If something is there after all, its producer
// may have seen the bit still set and gone away content; so Vacate sets it
// again. vacated reports whether the bit stays clear. If announce is true the
// caller must announce the job, just as after Mark: while the bit was clear
// somebody may have taken the job out of the line.
func (p *Presence) Vacate(place int, empty func() bool) (vacated, announce bool) {
	p.Clear(place)
	if empty() {
		return true, false
	}
	return false, p.Mark(place)
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
