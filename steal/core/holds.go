package core

import (
	"cmp"
	"slices"
	"sort"
)

// This file finds and changes what a peer holds, by index and without looking at
// the rest: a middle may hold thousands of pieces that end in any order.

func (d *downlink) held(id JobID) []hold { return d.jobs[id] }

func (d *downlink) add(id JobID, h hold) {
	l, ok := d.jobs[id]
	if !ok {
		d.order = append(d.order, id)
	}
	k, _ := slices.BinarySearchFunc(l, h.Lo, func(o hold, lo uint64) int {
		if o.Lo <= lo {
			return -1
		}
		return 1
	})
	d.tangled = d.tangled || k > 0 && l[k-1].Hi > h.Lo || k < len(l) && l[k].Lo < h.Hi
	d.jobs[id] = slices.Insert(l, k, h)
}

// takeOut removes the parts in s of those holds that match wants, and returns them.
func (d *downlink) takeOut(id JobID, s Span, match func(*hold) bool) (out []hold) {
	l, ok := d.jobs[id]
	if !ok {
		return nil
	}
	from, to := 0, len(l)
	if !d.tangled {
		from = sort.Search(len(l), func(k int) bool { return l[k].Hi > s.Lo })
		to = from + sort.Search(len(l)-from, func(k int) bool { return l[from+k].Lo >= s.Hi })
	}
	var store [4]hold
	left := store[:0]
	for k := from; k < to; k++ {
		h := l[k]
		both, meets := h.meet(s)
		if !meets || !match(&h) {
			left = append(left, h)
			continue
		}
		part := h
		part.Span = both
		out = append(out, part)
		if h.Lo < both.Lo {
			low := h
			low.Hi = both.Lo
			left = append(left, low)
		}
		if both.Hi < h.Hi {
			h.Lo = both.Hi
			left = append(left, h)
		}
	}
	if len(out) == 0 {
		return nil
	}
	if d.tangled {
		slices.SortStableFunc(left, func(a, b hold) int { return cmp.Compare(a.Lo, b.Lo) })
	}
	if l = slices.Replace(l, from, to, left...); len(l) > 0 {
		d.jobs[id] = l
		return out
	}
	delete(d.jobs, id)
	d.order = slices.DeleteFunc(d.order, func(o JobID) bool { return o == id })
	d.tangled = d.tangled && !d.empty()
	return out
}

func (d *downlink) empty() bool { return len(d.jobs) == 0 }

// covers tells whether the peer holds all of a piece.
func (d *downlink) covers(p Piece) bool {
	l := d.held(p.Job)
	if !d.tangled {
		k := sort.Search(len(l), func(k int) bool { return l[k].Hi > p.Lo })
		if l = l[k:]; len(l) > 0 && l[0].attempt == p.Attempt && p.Span.within(l[0].Span) {
			return true // the usual case
		}
	}
	var mine []Span
	for _, h := range l {
		if both, ok := h.meet(p.Span); ok && h.attempt == p.Attempt {
			mine = append(mine, both)
		}
	}
	return len(p.Span.minus(mine)) == 0
}
