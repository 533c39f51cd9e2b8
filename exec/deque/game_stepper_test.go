//go:build stepper

package deque

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/filchsched/filch/exec/stepper"
)

// A game is one owner and some thieves around a deque. What happens is kept
// in plain variables: threads of the stepper run one at a time.
type game struct {
	capacity int
	before   string // calls of the owner before the thieves come: + Push, - Pop
	owner    string // calls of the owner
	thieves  []int  // how often each calls Steal
}

func (g game) String() string {
	return fmt.Sprintf("capacity %d, %q then %q, thieves %v", g.capacity, g.before, g.owner, g.thieves)
}

// A token is an element.
type token struct {
	name  int
	place int64 // its index in the deque
	taken int   // how often it was returned
	by    string
	back  bool // the call that took it has returned: its slot must be free
}

func (k *token) String() string {
	if k == nil {
		return ""
	}
	return fmt.Sprintf("#%d", k.name)
}

// A match is one run of a game.
type match struct {
	game
	d      *Deque[token]
	all    []*token // that were pushed
	own    []*token // that the owner believes to be there, unless they were stolen
	gone   []*token // that the owner was told are gone
	stolen []*token
}

func (g game) program(s *stepper.Scene) {
	Capacity = g.capacity
	m := &match{game: g, d: new(Deque[token])}
	m.d.Name("deque")
	m.play(g.before)
	s.Go("owner", func() { m.play(g.owner) })
	for i, steals := range g.thieves {
		name := fmt.Sprint("thief", i+1)
		s.Go(name, func() { m.steal(name, steals) })
	}
	s.Finally(m.finish)
}

func (m *match) play(calls string) {
	for _, c := range calls {
		if c == '+' {
			m.push()
		} else {
			m.pop()
		}
	}
}

func (m *match) push() {
	k := &token{name: len(m.all) + 1, place: m.d.end}
	if !m.d.Push(k) {
		// The slot must hold the element of one lap ago, or a thief that
		// has not come back yet.
		for _, old := range m.all {
			if old.place == k.place-int64(m.capacity) && !old.back {
				return
			}
		}
		stepper.Failf("room: Push failed, though the slot of index %d was free", k.place)
	}
	m.all = append(m.all, k)
	m.own = append(m.own, k)
}

func (m *match) pop() {
	k := m.d.Pop()
	if k == nil {
		m.gone = append(m.gone, m.own...)
		m.own = nil
		return
	}
	m.take(k, "owner")
	k.back = true
	if len(m.own) == 0 || m.own[len(m.own)-1] != k {
		stepper.Failf("LIFO: the owner pushed %v and popped %v", m.own, k)
	}
	m.own = m.own[:len(m.own)-1]
}

func (m *match) steal(name string, calls int) {
	last := int64(-1)
	for range calls {
		k, _ := m.d.Steal()
		if k == nil {
			continue
		}
		m.take(k, name)
		k.back = true
		m.stolen = append(m.stolen, k)
		if k.place <= last {
			stepper.Failf("FIFO: %s stole index %d after index %d", name, k.place, last)
		}
		last = k.place
	}
}

// take notes that k was returned.
func (m *match) take(k *token, by string) {
	if k.taken++; k.taken > 1 {
		stepper.Failf("once: %v was taken by %s and by %s", k, k.by, by)
	}
	k.by = by
}

// finish looks at what is left.
func (m *match) finish() {
	for _, k := range m.gone {
		if k.taken == 0 {
			stepper.Failf("empty: Pop found nothing, though %v was there", k)
		}
	}
	var left []*token
	for k := m.d.Pop(); k != nil; k = m.d.Pop() {
		m.take(k, "the end")
		left = append(left, k)
	}
	for _, k := range m.all {
		if k.taken != 1 {
			stepper.Failf("lost: %v was pushed and never taken", k)
		}
	}
	for _, k := range m.stolen {
		for _, l := range left {
			if l.place <= k.place {
				stepper.Failf("FIFO: %v was stolen, though the older %v was there", k, l)
			}
		}
	}
	m.reuse()
}

// reuse checks that the ring is as good as new.
func (m *match) reuse() {
	for i := range m.d.ring.slots {
		if m.d.ring.slots[i].p.Read() != nil {
			stepper.Failf("slots: slot %d of the empty deque still holds something", i)
		}
	}
	if !m.d.Empty() || m.d.Len() != 0 {
		stepper.Failf("empty: Empty is %v and Len %d at the end", m.d.Empty(), m.d.Len())
	}
	for i := range m.capacity {
		if !m.d.Push(&token{name: i}) {
			stepper.Failf("room: the empty deque takes %d elements of %d", i, m.capacity)
		}
	}
	if m.d.Push(&token{}) {
		stepper.Failf("room: a full deque took another element")
	}
	for i := range m.capacity {
		if k := m.d.Pop(); k == nil || k.name != m.capacity-1-i {
			stepper.Failf("LIFO: popped %v from a full deque", k)
		}
	}
}

// plays returns all sequences of n calls of the owner.
func plays(n int) (all []string) {
	for bits := range 1 << n {
		var b strings.Builder
		for i := range n {
			b.WriteByte("+-"[bits>>i&1])
		}
		all = append(all, b.String())
	}
	slices.Sort(all)
	return all
}

func TestEachElementIsTakenOnce(t *testing.T) {
	starts := []string{"", "+", "++", "+-+", "++-"}
	for _, size := range []struct {
		capacity, calls int
		before          []string
		thieves         []int
	}{
		{2, 6, starts, []int{2}},
		{2, 5, starts, []int{1, 1}},
		{2, 4, []string{"", "++"}, []int{2, 2}},
		{2, 3, []string{"", "++"}, []int{1, 1, 1}},
		{1, 5, []string{"", "+"}, []int{1, 1}},
		{4, 6, []string{"", "+++", "++++"}, []int{3}},
	} {
		var sum stepper.Stats
		games := 0
		for _, before := range size.before {
			for _, owner := range plays(size.calls) {
				g := game{size.capacity, before, owner, size.thieves}
				t.Run(g.String(), func(t *testing.T) {
					sum.Add(stepper.Check(t, stepper.Options{}, g.program))
				})
				games++
			}
		}
		t.Logf("capacity %d, %d calls, thieves %v: %d games, %v", size.capacity, size.calls, size.thieves, games, sum)
	}
}
