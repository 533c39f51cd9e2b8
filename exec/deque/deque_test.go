//go:build !stepper

package deque

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"
)

func TestOwnerTakesTheNewestThievesTheOldest(t *testing.T) {
	var d Deque[int]
	items := []int{0, 1, 2, 3, 4, 5}
	if d.Pop() != nil || !d.Empty() || d.Len() != 0 {
		t.Error("the zero deque is not empty")
	}
	if x, again := d.Steal(); x != nil || again {
		t.Error("stole from the zero deque")
	}
	for i := range items {
		d.Push(&items[i])
	}
	if d.Len() != 6 || d.Empty() {
		t.Errorf("Len is %d", d.Len())
	}
	for _, want := range []int{5, 4} {
		if got := d.Pop(); got != &items[want] {
			t.Errorf("popped %v, want %d", got, want)
		}
	}
	for _, want := range []int{0, 1} {
		if got, _ := d.Steal(); got != &items[want] {
			t.Errorf("stole %v, want %d", got, want)
		}
	}
	for _, want := range []int{3, 2} {
		if got := d.Pop(); got != &items[want] {
			t.Errorf("popped %v, want %d", got, want)
		}
	}
	if d.Pop() != nil || !d.Empty() {
		t.Error("not empty in the end")
	}
}

// TestStealAtTakesThatElementOrNothing: what has come to an index that was
// popped is another element only while the index was never the oldest.
func TestStealAtTakesThatElementOrNothing(t *testing.T) {
	var d Deque[int]
	items := []int{0, 1, 2, 3}
	if _, ok := d.Oldest(); ok || d.StealAt(0) != nil {
		t.Error("the zero deque has an oldest element")
	}
	d.Push(&items[0])
	d.Push(&items[1])
	first, ok := d.Oldest()
	if !ok || d.StealAt(first+1) != nil || d.StealAt(first-1) != nil {
		t.Error("took another than the oldest")
	}
	d.Pop()
	d.Pop()
	d.Push(&items[2])
	if d.StealAt(first) != nil {
		t.Error("took what has come in the place of the one that was looked at")
	}
	second, ok := d.Oldest()
	if x := d.StealAt(second); !ok || x != &items[2] || d.StealAt(second) != nil || !d.Empty() {
		t.Errorf("took %v at %d", x, second)
	}
}

func TestFullDequeRefusesAndRecovers(t *testing.T) {
	var d Deque[int]
	x := 1
	for lap := range 3 {
		for i := range Capacity {
			if !d.Push(&x) {
				t.Fatalf("lap %d: push %d was refused", lap, i)
			}
		}
		if d.Push(&x) {
			t.Fatal("more than Capacity")
		}
		d.Steal()
		if !d.Push(&x) || d.Push(&x) {
			t.Fatal("a stolen element does not make room for one")
		}
		for d.Pop() != nil {
		}
	}
}

// TestSlotsAreCleared: what was taken can be collected.
func TestSlotsAreCleared(t *testing.T) {
	var d Deque[int]
	x := 1
	for range Capacity {
		d.Push(&x)
	}
	for range Capacity / 2 {
		d.Pop()
		d.Steal()
	}
	for i := range d.ring.slots {
		if d.ring.slots[i].p != nil {
			t.Fatalf("slot %d still holds a pointer", i)
		}
	}
}

// TestThievesAndOwnerShareNoLine: see pad.
func TestThievesAndOwnerShareNoLine(t *testing.T) {
	var d Deque[int]
	top := unsafe.Offsetof(d.top)
	if before, after := top-unsafe.Offsetof(d.ring)-unsafe.Sizeof(d.ring), unsafe.Sizeof(d)-top-unsafe.Sizeof(d.top); before < pad || after < pad {
		t.Errorf("%d bytes before top and %d after it", before, after)
	}
}

// TestStress lets an owner and thieves run as fast as they can. The stepper is
// the proof; this is for what it takes for granted: that the compiler, the
// processor and the race detector see the same program.
func TestStress(t *testing.T) {
	n := 2_000_000
	if testing.Short() || underRace {
		n = 100_000
	}
	var d Deque[atomic.Int32]
	items := make([]atomic.Int32, n)
	var taken atomic.Int64
	take := func(x *atomic.Int32) {
		if x != nil {
			if x.Add(1) != 1 {
				t.Error("an element was taken twice")
			}
			taken.Add(1)
		}
	}
	var over atomic.Bool
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for !over.Load() {
				x, _ := d.Steal()
				if take(x); x == nil {
					runtime.Gosched()
				}
			}
		})
	}
	for i := range items {
		for !d.Push(&items[i]) {
			take(d.Pop())
		}
		if i%3 == 0 {
			take(d.Pop())
		}
	}
	for d.Len() > 0 {
		take(d.Pop())
	}
	over.Store(true)
	wg.Wait()
	if int(taken.Load()) != n {
		t.Errorf("%d elements of %d were taken", taken.Load(), n)
	}
}

// TestSpanStress does the same for a Span, whose bodies are used again and
// again.
func TestSpanStress(t *testing.T) {
	type counts [100]atomic.Int32
	laps := 20_000
	if testing.Short() || underRace {
		laps = 2_000
	}
	var s Span[counts]
	var bodies [2]counts
	var over atomic.Bool
	var taken atomic.Int64
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for !over.Load() {
				body, lo, hi, _ := s.Steal()
				for i := lo; i < hi; i++ {
					body[i].Add(1)
				}
				taken.Add(hi - lo)
				if body == nil {
					runtime.Gosched()
				}
			}
		})
	}
	for lap := range laps {
		body := &bodies[lap%2]
		s.Open(body, 0, int64(len(body)))
		for range lap % 100 {
			if i, ok := s.Next(); ok {
				body[i].Add(1)
				taken.Add(1)
			}
		}
		_, lo, hi := s.Close()
		for i := lo; i < hi; i++ {
			body[i].Add(1)
		}
		taken.Add(hi - lo)
	}
	over.Store(true)
	wg.Wait()
	if want := int64(laps * len(bodies[0])); taken.Load() != want {
		t.Errorf("%d indices of %d were taken", taken.Load(), want)
	}
	for i := range bodies[0] {
		if a, b := bodies[0][i].Load(), bodies[1][i].Load(); int(a+b) != laps {
			t.Errorf("index %d was taken %d times, not %d", i, a+b, laps)
		}
	}
}

func TestSpanStealsHalfUpToABound(t *testing.T) {
	var s Span[int]
	if body, _, _, _ := s.Steal(); body != nil || !s.Empty() {
		t.Error("the zero Span is not empty")
	}
	x := 1
	s.Open(&x, 1000, 1000+MaxSpan)
	if body, lo, hi, _ := s.Steal(); body != &x || hi != 1000+MaxSpan || hi-lo != MaxSpanSteal {
		t.Errorf("stole %d to %d of %v", lo, hi, body)
	}
	s.Close()
	s.Open(&x, -5, 0)
	for _, want := range []int64{3, 1, 1} {
		if _, lo, hi, _ := s.Steal(); hi-lo != want {
			t.Errorf("stole %d, want %d", hi-lo, want)
		}
	}
	if _, ok := s.Next(); ok {
		t.Error("there is more than five")
	}
}

func BenchmarkPushPop(b *testing.B) {
	for _, depth := range []struct {
		name string
		n    int
	}{{"last", 0}, {"deep", 100}} {
		b.Run(depth.name, func(b *testing.B) {
			var d Deque[int]
			x := 1
			for range depth.n {
				d.Push(&x)
			}
			for b.Loop() {
				d.Push(&x)
				d.Pop()
			}
		})
	}
}

func BenchmarkPushSteal(b *testing.B) {
	var d Deque[int]
	x := 1
	for b.Loop() {
		d.Push(&x)
		d.Steal()
	}
}

func BenchmarkSpanNext(b *testing.B) {
	var s Span[int]
	x := 1
	for b.Loop() {
		if _, ok := s.Next(); !ok {
			s.Open(&x, 0, MaxSpan)
		}
	}
}
