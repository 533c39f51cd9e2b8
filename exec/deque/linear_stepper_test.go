//go:build stepper

package deque

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/filchsched/filch/exec/stepper"
)

// A history is linearizable (Herlihy and Wing 1990) if its calls could have
// happened one after the other, each at a moment between its begin and its
// end, on a plain data structure of type S.
type history[S any] struct {
	clock stepper.Order
	calls []*call[S]
}

// A call is one call of a method, as its caller sees it.
type call[S any] struct {
	thread     int
	begin, end int
	outcome[S]
	excused bool
}

// An outcome is what came out of a call.
type outcome[S any] struct {
	name string // method and result
	// apply does the call on the plain structure, and reports whether the
	// structure allows the result.
	apply func(S) (S, bool)
	// excuse, if any, returns whether the outcome of a call that overlaps
	// allows the result whatever the structure holds.
	excuse func(outcome[S]) bool
	stolen *token // if the call was a Steal that took something
	took   bool   // something was taken
}

func (c *call[S]) String() string {
	return fmt.Sprintf("%d:%s[%d,%d]", c.thread+1, c.name, c.begin, c.end)
}

func (c *call[S]) overlaps(d *call[S]) bool { return c.end > d.begin && d.end > c.begin }

// call notes a call of a thread from its begin to its end.
func (h *history[S]) call(thread int, do func() outcome[S]) {
	c := &call[S]{thread: thread, begin: h.clock.Enter()}
	c.outcome = do()
	c.end = h.clock.Leave()
	h.calls = append(h.calls, c)
}

// verdicts remembers which histories have been judged, since most runs have
// one that was seen before.
type verdicts map[string]bool

// judge fails the run if the history is not linearizable.
func (h *history[S]) judge(seen verdicts, start S) {
	slices.SortFunc(h.calls, func(a, b *call[S]) int {
		if a.thread != b.thread {
			return a.thread - b.thread
		}
		return a.begin - b.begin
	})
	key := h.key()
	if seen[key] {
		return
	}
	for _, c := range h.calls {
		c.excused = c.excuse != nil && slices.ContainsFunc(h.calls, func(d *call[S]) bool {
			return d.thread != c.thread && c.overlaps(d) && c.excuse(d.outcome)
		})
	}
	if !linearizable(h.calls, start) {
		stepper.Failf("linearizable: no order of these calls explains them: %v", h.calls)
	}
	seen[key] = true
}

// key says what matters of a history: results, and which calls ended before
// others began.
func (h *history[S]) key() string {
	var b strings.Builder
	for _, c := range h.calls {
		fmt.Fprintf(&b, "%d%s", c.thread, c.name)
		for _, d := range h.calls {
			if d.end < c.begin {
				b.WriteByte('<')
			} else {
				b.WriteByte('|')
			}
		}
	}
	return b.String()
}

// linearizable reports whether the calls that are left can happen in some
// order, now that the structure is in this state. Calls that have happened are nil.
func linearizable[S any](calls []*call[S], state S) bool {
	left := false
	for i, c := range calls {
		if c == nil {
			continue
		}
		left = true
		if slices.ContainsFunc(calls, func(d *call[S]) bool { return d != nil && d.end < c.begin }) {
			continue // another one has to come first
		}
		after, ok := c.apply(state)
		if !ok && !c.excused {
			continue
		}
		if !ok {
			after = state
		}
		rest := slices.Clone(calls)
		rest[i] = nil
		if linearizable(rest, after) {
			return true
		}
	}
	return !left
}

// TestTheJudge shows that the check of histories tells right from wrong.
func TestTheJudge(t *testing.T) {
	one, two := &token{name: 1}, &token{name: 2, place: 1}
	at := func(thread, begin, end int, o outcome[list]) *call[list] {
		return &call[list]{thread: thread, begin: begin, end: end, outcome: o}
	}
	push := func(begin int, k *token) *call[list] { return at(0, begin, begin+1, pushed(k, true, 2)) }
	for _, test := range []struct {
		name  string
		calls []*call[list]
		right bool
	}{
		{"pop the newest", []*call[list]{push(1, one), push(3, two), at(0, 5, 6, popped(two))}, true},
		{"pop the oldest", []*call[list]{push(1, one), push(3, two), at(0, 5, 6, popped(one))}, false},
		{"steal the newest", []*call[list]{push(1, one), push(3, two), at(1, 5, 6, stole(two, false))}, false},
		{"steal while it is pushed", []*call[list]{push(2, one), at(1, 1, 4, stole(one, false))}, true},
		{"steal before it is pushed", []*call[list]{push(3, one), at(1, 1, 2, stole(one, false))}, false},
		{"taken twice", []*call[list]{push(1, one), at(0, 3, 5, popped(one)), at(1, 2, 6, stole(one, false))}, false},
		{"empty, though it is not", []*call[list]{push(1, one), at(1, 3, 4, stole(nil, false))}, false},
		{"empty, while it is pushed", []*call[list]{push(1, one), at(1, 0, 4, stole(nil, false))}, true},
		{"another try, for no reason", []*call[list]{push(1, one), at(1, 3, 4, stole(nil, true))}, false},
		{"another try", []*call[list]{push(1, one), at(1, 3, 5, stole(nil, true)), at(0, 4, 6, popped(one))}, true},
		{"no room, for no reason", []*call[list]{at(0, 1, 2, pushed(one, false, 2))}, false},
	} {
		_, err := stepper.Explore(stepper.Options{}, func(s *stepper.Scene) {
			s.Finally(func() { (&history[list]{calls: test.calls}).judge(verdicts{}, nil) })
		})
		if (err == nil) != test.right {
			t.Errorf("%s: judged %v", test.name, err)
		}
	}
}
