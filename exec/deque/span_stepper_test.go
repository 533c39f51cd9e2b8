//go:build stepper

package deque

import (
	"fmt"
	"strings"
	"testing"

	"github.com/filchsched/filch/exec/stepper"
)

// A body is what the indices of one Open belong to.
type body struct {
	name   int
	lo, hi int64
	taken  []int // how often each index was taken
}

func (b *body) String() string {
	if b == nil {
		return ""
	}
	return fmt.Sprint("body", b.name)
}

func (b *body) take(lo, hi int64, by string) {
	for i := lo; i < hi; i++ {
		if i < b.lo || i >= b.hi {
			stepper.Failf("invented: %s took index %d of %v, which has %d to %d", by, i, b, b.lo, b.hi)
		}
		if b.taken[i-b.lo]++; b.taken[i-b.lo] > 1 {
			stepper.Failf("once: index %d of %v was taken twice, the second time by %s", i, b, by)
		}
	}
}

// A rest is what a Span would hold if nobody interfered.
type rest struct {
	body   *body
	lo, hi int64
}

// A shift is an owner that works through one body after the other, and thieves.
type shift struct {
	sizes   []int  // of the bodies, used in turn; each Open after the first is a new generation
	owner   string // n Next, c Close; the owner opens the next body when the Span is empty
	thieves []string
}

func (g shift) String() string {
	return fmt.Sprintf("bodies of %v, %q beside %q", g.sizes, g.owner, g.thieves)
}

// program judges histories if seen is not nil. That costs interleavings, so
// larger shifts are run without.
func (g shift) program(seen verdicts) stepper.Program {
	return func(s *stepper.Scene) {
		span := new(Span[body])
		span.Name("span")
		h := new(history[rest])
		stepper.Name(&h.clock, "calls")
		call := h.call
		if seen == nil {
			call = func(_ int, do func() outcome[rest]) { do() }
		}
		var bodies []*body
		s.Go("owner", func() {
			empty := true
			for _, letter := range g.owner {
				if empty {
					n := g.sizes[len(bodies)%len(g.sizes)]
					b := &body{name: len(bodies) + 1, lo: 10, hi: 10 + int64(n), taken: make([]int, n)}
					bodies = append(bodies, b)
					call(0, func() outcome[rest] { return opened(span, b) })
				}
				call(0, func() outcome[rest] {
					o := nextOrClosed(span, letter, bodies[len(bodies)-1])
					empty = letter == 'c' || !o.took
					return o
				})
			}
		})
		for i, letters := range g.thieves {
			s.Go(fmt.Sprint("thief", i+1), func() {
				for _, letter := range letters {
					call(i+1, func() outcome[rest] { return robbed(span, letter) })
				}
			})
		}
		s.Finally(func() {
			if b, lo, hi := span.Close(); b != nil {
				b.take(lo, hi, "the end")
			}
			for _, b := range bodies {
				for i, n := range b.taken {
					if n == 0 {
						stepper.Failf("lost: index %d of %v was never taken", b.lo+int64(i), b)
					}
				}
			}
			if seen != nil {
				h.judge(seen, rest{})
			}
		})
	}
}

func opened(s *Span[body], b *body) outcome[rest] {
	s.Open(b, b.lo, b.hi)
	return outcome[rest]{name: fmt.Sprintf("Open(%v)", b), apply: func(r rest) (rest, bool) {
		return rest{b, b.lo, b.hi}, r.lo == r.hi
	}}
}

func nextOrClosed(s *Span[body], letter rune, b *body) outcome[rest] {
	if letter == 'n' {
		i, ok := s.Next()
		if ok {
			b.take(i, i+1, "owner")
		}
		return outcome[rest]{name: fmt.Sprintf("Next=%d,%v", i, ok), took: ok, apply: func(r rest) (rest, bool) {
			if !ok {
				return r, r.lo == r.hi
			}
			return rest{r.body, r.lo + 1, r.hi}, r.lo < r.hi && r.lo == i
		}}
	}
	got, lo, hi := s.Close()
	if lo < hi && got != b {
		stepper.Failf("invented: Close returned %v instead of %v", got, b)
	}
	b.take(lo, hi, "owner")
	return outcome[rest]{name: fmt.Sprintf("Close=%d,%d", lo, hi), took: lo < hi, apply: func(r rest) (rest, bool) {
		return rest{}, lo == hi && r.lo == r.hi || lo == r.lo && hi == r.hi
	}}
}

func robbed(s *Span[body], letter rune) outcome[rest] {
	if letter == 'e' {
		empty := s.Empty()
		return outcome[rest]{name: fmt.Sprintf("Empty=%v", empty), apply: func(r rest) (rest, bool) {
			return r, empty == (r.lo == r.hi)
		}}
	}
	b, lo, hi, again := s.Steal()
	if b != nil {
		b.take(lo, hi, "a thief")
	}
	o := outcome[rest]{name: fmt.Sprintf("Steal=%v,%d,%d,%v", b, lo, hi, again), took: b != nil}
	o.apply = func(r rest) (rest, bool) {
		if b == nil {
			return r, r.lo == r.hi && !again
		}
		half := (r.hi - r.lo + 1) / 2
		return rest{r.body, r.lo, lo}, b == r.body && hi == r.hi && hi-lo == half && half > 0
	}
	if again {
		o.excuse = func(other outcome[rest]) bool { return other.took }
	}
	return o
}

func TestEachIndexIsTakenOnce(t *testing.T) {
	for _, size := range []struct {
		calls   int
		sizes   [][]int
		thieves []string
		judged  bool
	}{
		{3, [][]int{{1}, {2}, {3, 2}, {2, 3}}, []string{"ss"}, true},
		{3, [][]int{{1}, {3, 2}}, []string{"se"}, true},
		{2, [][]int{{1}, {3, 2}}, []string{"s", "s"}, true},
		{4, [][]int{{1}, {2}, {3, 2}, {5}}, []string{"ss"}, false},
		{3, [][]int{{1}, {2}, {3, 2}}, []string{"s", "s"}, false},
		{2, [][]int{{1}, {3}}, []string{"ss", "s"}, false},
	} {
		var sum stepper.Stats
		shifts, histories := 0, 0
		for _, sizes := range size.sizes {
			for _, owner := range plays(size.calls) {
				var seen verdicts
				if size.judged {
					seen = verdicts{}
				}
				owner = strings.NewReplacer("+", "n", "-", "c").Replace(owner)
				g := shift{sizes, owner, size.thieves}
				t.Run(g.String(), func(t *testing.T) {
					sum.Add(stepper.Check(t, stepper.Options{}, g.program(seen)))
				})
				shifts++
				histories += len(seen)
			}
		}
		t.Logf("%d calls beside %q: %d shifts, %v, %d histories", size.calls, size.thieves, shifts, sum, histories)
	}
}
