//go:build stepper

package deque

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/filchsched/filch/exec/stepper"
)

// A call is one call of a method, as its caller sees it: when it began and
// ended, and what came out. A history of calls is linearizable (Herlihy and
// Wing 1990) if they could have happened one after the other at moments within their
// times, on a deque that is a plain list.
type call struct {
	method     byte // + Push, - Pop, s Steal, e Empty
	thread     int
	begin, end int
	token      *token // pushed or taken
	ok         bool   // Push had room, Empty said yes, Steal wants to be repeated
	excused    bool   // what it reports needs no explanation by the list
}

func (c *call) String() string {
	name := map[byte]string{'+': "Push", '-': "Pop", 's': "Steal", 'e': "Empty"}[c.method]
	return fmt.Sprintf("%s(%v) = %v [%d,%d]", name, c.token, c.ok, c.begin, c.end)
}

func (c *call) overlaps(d *call) bool { return c.end > d.begin && d.end > c.begin }

func (c *call) took() bool { return c.method != '+' && c.token != nil }

// A concert is one owner and others who call what their letters say.
type concert struct {
	capacity int
	before   string
	threads  []string // the first is the owner
}

func (g concert) String() string {
	return fmt.Sprintf("capacity %d, %q then %q", g.capacity, g.before, g.threads)
}

// verdicts remembers which histories have been judged, since most runs have
// one that was seen before.
type verdicts map[string]bool

func (g concert) program(seen verdicts) stepper.Program {
	return func(s *stepper.Scene) {
		Capacity = g.capacity
		d := new(Deque[token])
		d.Name("deque")
		clock := new(stepper.Order)
		stepper.Name(clock, "calls")
		var calls []*call
		tokens := 0
		do := func(thread int, letters string) {
			for i := range len(letters) {
				c := &call{method: letters[i], thread: thread, begin: clock.Enter()}
				if c.method == '+' {
					tokens++
					c.token = &token{name: tokens, place: d.end}
				}
				c.do(d)
				c.end = clock.Leave()
				calls = append(calls, c)
			}
		}
		do(0, g.before)
		for i, letters := range g.threads {
			s.Go(fmt.Sprint("caller", i+1), func() { do(i, letters) })
		}
		s.Finally(func() {
			slices.SortFunc(calls, func(a, b *call) int { return a.thread*1000 + a.begin - b.thread*1000 - b.begin })
			if key := historyKey(calls); !seen[key] {
				excuse(calls, g.capacity)
				if !linearizable(calls, nil, g.capacity) {
					stepper.Failf("linearizable: no order of these calls explains them: %v", calls)
				}
				seen[key] = true
			}
		})
	}
}

func (c *call) do(d *Deque[token]) {
	switch c.method {
	case '+':
		c.ok = d.Push(c.token)
	case '-':
		c.token = d.Pop()
	case 's':
		c.token, c.ok = d.Steal()
	case 'e':
		c.ok = d.Empty()
	}
}

// historyKey says what matters of a history: results, and which calls ended
// before others began. calls are sorted.
func historyKey(calls []*call) string {
	var b strings.Builder
	for _, c := range calls {
		fmt.Fprintf(&b, "%d%c%v%v", c.thread, c.method, c.token, c.ok)
		for _, d := range calls {
			if d.end < c.begin {
				b.WriteByte('<')
			} else {
				b.WriteByte('|')
			}
		}
	}
	return b.String()
}

// excuse finds out which calls may have failed although the list would have let
// them succeed: a Push because a thief had not handed back the slot of one lap
// ago, a Steal because somebody else took something meanwhile.
func excuse(calls []*call, capacity int) {
	for _, c := range calls {
		c.excused = slices.ContainsFunc(calls, func(d *call) bool {
			if d.thread == c.thread || !d.took() || !c.overlaps(d) {
				return false
			}
			return c.method == 's' || c.method == '+' && d.method == 's' && d.token.place == c.token.place-int64(capacity)
		})
	}
}

// linearizable reports whether the calls that are left can happen in some order
// on a deque that holds what list says. Calls that have happened are nil.
func linearizable(calls []*call, list []*token, capacity int) bool {
	left := false
	for i, c := range calls {
		if c == nil {
			continue
		}
		left = true
		if slices.ContainsFunc(calls, func(d *call) bool { return d != nil && d.end < c.begin }) {
			continue // another one has to come first
		}
		after, ok := c.apply(list, capacity)
		if !ok {
			continue
		}
		rest := slices.Clone(calls)
		rest[i] = nil
		if linearizable(rest, after, capacity) {
			return true
		}
	}
	return !left
}

// apply does the call on a list and reports whether its result is right.
func (c *call) apply(list []*token, capacity int) (after []*token, ok bool) {
	n := len(list)
	switch {
	case c.method == '+' && c.ok:
		return append(slices.Clone(list), c.token), n < capacity
	case c.method == '+':
		return list, n == capacity || c.excused
	case c.method == '-' && c.token == nil:
		return list, n == 0
	case c.method == '-':
		return list[:max(0, n-1)], n > 0 && list[n-1] == c.token
	case c.method == 's' && c.token != nil:
		return list[min(1, n):], n > 0 && list[0] == c.token
	case c.method == 's' && c.ok:
		return list, c.excused
	case c.method == 's':
		return list, n == 0
	}
	return list, c.ok == (n == 0)
}

func TestCallsAreLinearizable(t *testing.T) {
	for _, size := range []struct {
		capacity, calls int
		before          []string
		others          []string
	}{
		{2, 5, []string{"", "+", "++"}, []string{"ss"}},
		{2, 4, []string{"", "+", "++"}, []string{"se"}},
		{2, 4, []string{"", "+", "++"}, []string{"es"}},
		{2, 3, []string{"", "+", "++"}, []string{"s", "s"}},
		{2, 3, []string{"", "+", "++"}, []string{"s", "e"}},
		{1, 4, []string{"", "+"}, []string{"ss"}},
		{4, 4, []string{"+", "++++"}, []string{"sss"}},
	} {
		var sum stepper.Stats
		histories, concerts := 0, 0
		for _, before := range size.before {
			for _, owner := range plays(size.calls) {
				g := concert{size.capacity, before, append([]string{owner}, size.others...)}
				seen := verdicts{}
				t.Run(g.String(), func(t *testing.T) {
					sum.Add(stepper.Check(t, stepper.Options{}, g.program(seen)))
				})
				histories += len(seen)
				concerts++
			}
		}
		t.Logf("capacity %d, %d calls beside %q: %d concerts, %v, %d histories", size.capacity, size.calls, size.others, concerts, sum, histories)
	}
}

// TestTheJudge shows that the check of histories tells right from wrong.
func TestTheJudge(t *testing.T) {
	one, two := &token{name: 1}, &token{name: 2, place: 1}
	push := func(k *token, begin int) *call {
		return &call{method: '+', token: k, ok: true, begin: begin, end: begin + 1}
	}
	for _, test := range []struct {
		name  string
		calls []*call
		right bool
	}{
		{"pop the newest", []*call{push(one, 1), push(two, 3), {method: '-', begin: 5, end: 6, token: two}}, true},
		{"pop the oldest", []*call{push(one, 1), push(two, 3), {method: '-', begin: 5, end: 6, token: one}}, false},
		{"steal the newest", []*call{push(one, 1), push(two, 3), {method: 's', thread: 1, begin: 5, end: 6, token: two}}, false},
		{"steal while it is pushed", []*call{push(one, 2), {method: 's', thread: 1, begin: 1, end: 4, token: one}}, true},
		{"steal before it is pushed", []*call{push(one, 3), {method: 's', thread: 1, begin: 1, end: 2, token: one}}, false},
		{"taken twice", []*call{push(one, 1), {method: '-', begin: 3, end: 5, token: one}, {method: 's', thread: 1, begin: 2, end: 6, token: one}}, false},
		{"empty, though it is not", []*call{push(one, 1), {method: 's', thread: 1, begin: 3, end: 4}}, false},
		{"empty, while it is pushed", []*call{push(one, 1), {method: 's', thread: 1, begin: 0, end: 4}}, true},
		{"another try, for no reason", []*call{push(one, 1), {method: 's', thread: 1, begin: 3, end: 4, ok: true}}, false},
		{"another try", []*call{push(one, 1), {method: 's', thread: 1, begin: 3, end: 5, ok: true}, {method: '-', begin: 4, end: 6, token: one}}, true},
		{"no room, for no reason", []*call{{method: '+', token: one, begin: 1, end: 2}}, false},
	} {
		excuse(test.calls, 2)
		if got := linearizable(test.calls, nil, 2); got != test.right {
			t.Errorf("%s: judged %v", test.name, got)
		}
	}
}
