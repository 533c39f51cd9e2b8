package stepper

import "math/bits"

// depends computes which steps the step of t at p, the last one of the path,
// depends on.
func (x *explorer) depends(t *thread, p *place) {
	p.seen = t.seen
	for i := p.prior; i > 0; i = x.path[i-1].prior {
		e := &x.path[i-1]
		if conflicts(e.kind, p.kind) {
			p.seen.join(&e.seen)
			if e.kind.exclusive() {
				break // it depends on all before that matter
			}
		}
	}
	p.seen[t.id]++
	t.seen = p.seen
}

// races looks for earlier steps that could as well have come after the one
// that t is about to take, or waits for, and has the search try that.
func (x *explorer) races(t *thread) {
	if x.options.Full || x.rng != nil || x.fixed != nil {
		return
	}
	o := &t.next
	for i := o.on.last; i > 0; i = x.path[i-1].prior {
		e := &x.path[i-1]
		if !conflicts(e.kind, o.kind) {
			continue
		}
		// If t has seen e there is nothing to reverse, and it has seen
		// what came before e as well. If t could not have gone before e,
		// because e is what lets it go, an older state may have let it.
		reversible := false
		if t.seen[e.chosen] < e.seen[e.chosen] {
			if reversible = o.possible(e.before); reversible {
				x.reverse(i-1, t)
			}
		} else {
			reversible = true
		}
		if reversible && e.kind.exclusive() {
			return
		}
	}
}

// reverse has the search try, instead of the step at i, somebody who leads to
// the step of t before it. Whoever can come first among the steps that do not
// depend on the one at i, followed by that of t, will do.
func (x *explorer) reverse(i int, t *thread) {
	e := &x.path[i]
	var first [MaxThreads]uint16 // by thread, its first such step; 0: none
	var initial threads
	independent := func(seen *clock) bool {
		for id, n := range first {
			if n != 0 && seen[id] >= n {
				return false
			}
		}
		return true
	}
	for k := i + 1; k < x.now; k++ {
		s := &x.path[k]
		if s.seen[e.chosen] >= e.seen[e.chosen] {
			continue // depends on it
		}
		if first[s.chosen] == 0 {
			if independent(&s.seen) {
				initial |= only(s.chosen)
			}
			first[s.chosen] = s.seen[s.chosen]
		}
	}
	if x.mayComeFirst(i, t, &first) && independent(&t.seen) {
		initial |= only(t.id)
	}
	switch {
	case initial&(e.wanted|e.asleep) != 0:
	case initial&e.able == 0:
		e.wanted |= e.able // should not happen, and if it does this is safe
	case (initial & e.able).has(t.id):
		e.wanted |= only(t.id)
	default:
		e.wanted |= only(bits.TrailingZeros8(uint8(initial & e.able)))
	}
}

// mayComeFirst reports whether none of the steps that follow the one at i and
// do not depend on it conflicts with the next step of t.
func (x *explorer) mayComeFirst(i int, t *thread, first *[MaxThreads]uint16) bool {
	if first[t.id] != 0 {
		return false
	}
	e := &x.path[i]
	for k := t.next.on.last; k > i+1; k = x.path[k-1].prior {
		s := &x.path[k-1]
		if s.seen[e.chosen] < e.seen[e.chosen] && conflicts(s.kind, t.next.kind) {
			return false
		}
	}
	return true
}
