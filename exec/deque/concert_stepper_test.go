//go:build stepper

package deque

import (
	"fmt"
	"slices"
	"testing"

	"github.com/filchsched/filch/exec/stepper"
)

// A list is what a deque would be if nobody interfered: oldest first.
type list []*token

// A concert is one owner and others who call what their letters say: + Push, -
// Pop, s Steal, e Empty, o Oldest, a StealAt with what the caller's last Oldest has said.
type concert struct {
	capacity int
	before   string
	threads  []string // the first is the owner
}

func (g concert) String() string {
	return fmt.Sprintf("capacity %d, %q then %q", g.capacity, g.before, g.threads)
}

func (g concert) program(seen verdicts) stepper.Program {
	return func(s *stepper.Scene) {
		Capacity = g.capacity
		d := new(Deque[token])
		d.Name("deque")
		h := new(history[list])
		stepper.Name(&h.clock, "calls")
		tokens := 0
		play := func(thread int, letters string) {
			oldest := int64(-1)
			for _, method := range letters {
				h.call(thread, func() outcome[list] {
					switch method {
					case '+':
						tokens++
						k := &token{name: tokens, place: d.end}
						return pushed(k, d.Push(k), g.capacity)
					case '-':
						return popped(d.Pop())
					case 's':
						return stole(d.Steal())
					case 'o':
						var ok bool
						oldest, ok = d.Oldest()
						return sawOldest(oldest, ok)
					case 'a':
						return stoleAt(oldest, d.StealAt(oldest))
					}
					return sawEmpty(d.Empty())
				})
			}
		}
		play(0, g.before)
		for i, letters := range g.threads {
			s.Go(fmt.Sprint("caller", i+1), func() { play(i, letters) })
		}
		s.Finally(func() { h.judge(seen, nil) })
	}
}

// pushed allows a failure if the list is full, or if a thief has not yet handed
// back the slot of one lap ago.
func pushed(k *token, ok bool, capacity int) outcome[list] {
	o := outcome[list]{name: fmt.Sprintf("Push(%v)=%v", k, ok)}
	o.apply = func(l list) (list, bool) {
		if !ok {
			return l, len(l) == capacity
		}
		return append(slices.Clone(l), k), len(l) < capacity
	}
	if !ok {
		o.excuse = func(other outcome[list]) bool {
			return other.stolen != nil && other.stolen.place == k.place-int64(capacity)
		}
	}
	return o
}

func popped(k *token) outcome[list] {
	return outcome[list]{name: fmt.Sprintf("Pop=%v", k), took: k != nil, apply: func(l list) (list, bool) {
		if k == nil {
			return l, len(l) == 0
		}
		last := len(l) - 1
		return l[:max(0, last)], last >= 0 && l[last] == k
	}}
}

// stole allows another try if somebody else took something meanwhile.
func stole(k *token, again bool) outcome[list] {
	o := outcome[list]{name: fmt.Sprintf("Steal=%v,%v", k, again), took: k != nil, stolen: k}
	o.apply = func(l list) (list, bool) {
		if k == nil {
			return l, len(l) == 0 && !again
		}
		return l[min(1, len(l)):], len(l) > 0 && l[0] == k
	}
	if again {
		o.excuse = func(other outcome[list]) bool { return other.took }
	}
	return o
}

// stoleAt allows nothing if the oldest is another one, or if somebody took one
// meanwhile.
func stoleAt(index int64, k *token) outcome[list] {
	o := outcome[list]{name: fmt.Sprintf("StealAt(%d)=%v", index, k), took: k != nil, stolen: k}
	o.apply = func(l list) (list, bool) {
		there := len(l) > 0 && l[0].place == index
		if k == nil {
			return l, !there
		}
		return l[min(1, len(l)):], there && l[0] == k
	}
	if k == nil {
		o.excuse = func(other outcome[list]) bool { return other.took }
	}
	return o
}

func sawOldest(index int64, ok bool) outcome[list] {
	name := "Oldest=none"
	if ok {
		name = fmt.Sprintf("Oldest=%d", index)
	}
	return outcome[list]{name: name, apply: func(l list) (list, bool) {
		if !ok {
			return l, len(l) == 0
		}
		return l, len(l) > 0 && l[0].place == index
	}}
}

func sawEmpty(empty bool) outcome[list] {
	return outcome[list]{name: fmt.Sprintf("Empty=%v", empty), apply: func(l list) (list, bool) {
		return l, empty == (len(l) == 0)
	}}
}

func TestCallsAreLinearizable(t *testing.T) {
	for _, size := range []struct {
		capacity, calls int
		before          []string
		others          []string
	}{
		{2, 5, []string{"", "+", "++"}, []string{"ss"}},
		{2, 5, []string{"", "+", "++"}, []string{"oa"}},
		{2, 4, []string{"", "+", "++"}, []string{"se"}},
		{2, 4, []string{"", "+", "++"}, []string{"es"}},
		{2, 3, []string{"", "+", "++"}, []string{"s", "s"}},
		{2, 3, []string{"", "+", "++"}, []string{"s", "e"}},
		{1, 4, []string{"", "+"}, []string{"ss"}},
		{4, 4, []string{"+", "++++"}, []string{"sss"}},
		{2, 2, []string{"", "+", "++"}, []string{"oa", "s"}},
		{2, 1, []string{"+", "++"}, []string{"oa", "oa"}},
		{1, 5, []string{"", "+"}, []string{"oa"}},
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
