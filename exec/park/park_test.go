//go:build !stepper

package park

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

func TestPresenceTellsPlacesApart(t *testing.T) {
	var p Presence
	marked := map[int]bool{}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		place := rng.IntN(Places)
		switch rng.IntN(3) {
		case 0:
			if first := p.Mark(place); first == marked[place] {
				t.Fatalf("Mark(%d) says first: %v", place, first)
			}
			marked[place] = true
		case 1:
			p.Clear(place)
			delete(marked, place)
		case 2:
			full := rng.IntN(2) == 0
			was := marked[place]
			vacated, announce := p.Vacate(place, func() bool { return !full })
			if vacated == full || announce != full {
				t.Fatalf("Vacate(%d), full %v, marked %v: %v, %v", place, full, was, vacated, announce)
			}
			if marked[place] = full; !full {
				delete(marked, place)
			}
		}
		if p.Marked(place) != marked[place] || p.Any() != (len(marked) > 0) {
			t.Fatalf("place %d is marked: %v, any: %v", place, p.Marked(place), p.Any())
		}
	}
	var seen []int
	p.Each(func(place int) bool {
		seen = append(seen, place)
		return true
	})
	if len(seen) != len(marked) || !slices.IsSorted(seen) {
		t.Errorf("%d places were visited of %d, in order: %v", len(seen), len(marked), slices.IsSorted(seen))
	}
	for _, place := range seen {
		if !marked[place] {
			t.Errorf("place %d was visited", place)
		}
	}
	stopped := 0
	p.Each(func(int) bool { stopped++; return false })
	if stopped != 1 {
		t.Errorf("visit was called %d times after it said stop", stopped)
	}
}

func TestWordIsWhereThePlaceIs(t *testing.T) {
	for _, place := range []int{0, 1, 63, 64, 65, Places - 1} {
		var p Presence
		w, mask := p.Word(place)
		p.Mark(place)
		if w.Load() != mask {
			t.Errorf("place %d: the word is %x, the mask %x", place, w.Load(), mask)
		}
	}
}

func TestVacateWhileSomebodyElseMarks(t *testing.T) {
	var p Presence
	p.Mark(7)
	vacated, announce := p.Vacate(7, func() bool {
		p.Mark(7) // the producer, who announces it
		return false
	})
	if vacated || announce {
		t.Errorf("Vacate returned %v, %v", vacated, announce)
	}
}

func TestLotWakesOneForAllNews(t *testing.T) {
	var l Lot[int]
	l.SetLimit(2)
	for w := 1; w <= 3; w++ {
		l.Sleep(w)
	}
	if w, ok := l.Wake(); !ok || w != 3 || l.Searching() != 1 || l.Idle() != 2 {
		t.Fatalf("woke %d, %v; %d search, %d sleep", w, ok, l.Searching(), l.Idle())
	}
	if w, ok := l.Wake(); ok {
		t.Errorf("woke %d though somebody searches", w)
	}
	if !l.BeginSearch() || l.BeginSearch() {
		t.Error("the limit of two searchers does not hold")
	}
	l.EndSearch()
	l.EndSearch()
	if w, ok := l.Wake(); !ok || w != 2 {
		t.Errorf("woke %d, %v, not the one who slept last", w, ok)
	}
	l.EndSearch()
	if w, ok := l.Pop(); !ok || w != 1 || l.Searching() != 0 {
		t.Errorf("popped %d, %v", w, ok)
	}
	if _, ok := l.Wake(); ok || l.Searching() != 0 {
		t.Errorf("woke nobody, but counts %d searchers", l.Searching())
	}
	l.SetLimit(0)
	if !l.BeginSearch() {
		t.Error("nobody may search at all")
	}
}

// TestPresenceUnderRace lets everybody at a few words at once.
func TestPresenceUnderRace(t *testing.T) {
	var p Presence
	var wg sync.WaitGroup
	firsts := make([]int, 4)
	for i := range firsts {
		wg.Go(func() {
			for place := range Places {
				if p.Mark(place) {
					firsts[i]++
				}
				p.Any()
				p.Each(func(place int) bool { return place < 10 })
			}
		})
	}
	wg.Wait()
	sum := 0
	for _, n := range firsts {
		sum += n
	}
	if sum != Places {
		t.Errorf("%d places had a first mark, of %d", sum, Places)
	}
}
