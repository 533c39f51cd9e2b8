package topology

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// laminar reports whether no class of a crosses one of b.
func laminar(a, b []int) bool {
	for i := range a {
		meet, onlyA, onlyB := 0, 0, 0
		for j := range a {
			inA, inB := a[j] == a[i], b[j] == b[i]
			switch {
			case inA && inB:
				meet++
			case inA:
				onlyA++
			case inB:
				onlyB++
			}
		}
		if meet > 0 && onlyA > 0 && onlyB > 0 {
			return false
		}
	}
	return true
}

func TestRefineMakesClassesNest(t *testing.T) {
	if got := refine([]int{0, 0, 0, 0}, []int{1, 1, 2, 2}); !slices.Equal(got, []int{0, 0, 0, 0}) {
		t.Errorf("classes that nest were split: %v", got)
	}
	if got := refine([]int{0, 0, 0, 1}, []int{5, 5, 6, 6}); got[0] != got[1] || got[1] == got[2] || got[2] == got[3] {
		t.Errorf("a class that crosses was not split: %v", got)
	}
	const seed = 7
	r := rand.New(rand.NewPCG(seed, 0))
	labels := func(n, k int) []int {
		out := make([]int, n)
		for i := range out {
			out[i] = r.IntN(k) - k/2
		}
		return out
	}
	for range 2000 {
		n := 1 + r.IntN(12)
		a := labels(n, 1+r.IntN(5))
		b := refine(labels(n, 1+r.IntN(5)), a)
		c := refine(refine(labels(n, 1+r.IntN(5)), a), b)
		if !laminar(a, b) || !laminar(a, c) || !laminar(b, c) {
			t.Fatalf("seed %d: %v %v %v", seed, a, b, c)
		}
		if d := finer(a, b); !laminar(a, d) || !laminar(b, d) {
			t.Fatalf("seed %d: the finer of %v and %v is %v", seed, a, b, d)
		}
	}
}

func TestFamilyStaysLaminar(t *testing.T) {
	const seed = 11
	r := rand.New(rand.NewPCG(seed, 0))
	for range 500 {
		f := &family{}
		for range 12 {
			var s cpuSet
			for range 1 + r.IntN(6) {
				s.add(r.IntN(10))
			}
			f.insert(&region{kind: regionKind(r.IntN(int(regionCore) + 1)), set: s})
		}
		for _, a := range f.regions {
			for _, b := range f.regions {
				if a.set.intersects(b.set) && !a.set.subsetOf(b.set) && !b.set.subsetOf(a.set) {
					t.Fatalf("seed %d: %v crosses %v", seed, a.set, b.set)
				}
				if a != b && a.kind == b.kind && a.set.equal(b.set) {
					t.Fatalf("seed %d: %v twice", seed, a.set)
				}
			}
		}
	}
	f := &family{}
	if f.insert(&region{kind: regionCore}) {
		t.Error("an empty region was accepted")
	}
}

func TestWorkers(t *testing.T) {
	for _, c := range []struct {
		cpus  int
		quota float64
		want  int
	}{{1, 0, 1}, {8, 0, 8}, {8, 0.01, 1}, {8, 1, 1}, {8, 1.01, 2}, {8, 7.5, 8}, {8, 8, 8}, {8, 80, 8}, {0, 0, 1}, {8, -1, 8}} {
		top := &Topology{CPUs: make([]CPU, c.cpus), Quota: c.quota}
		if got := top.Workers(); got != c.want {
			t.Errorf("%d CPUs, quota %v: %d workers, want %d", c.cpus, c.quota, got, c.want)
		}
	}
}

// A Topology made by hand, as tests of other packages do, answers like one
// that was read.
func TestTopologyMadeByHand(t *testing.T) {
	top := &Topology{CPUs: []CPU{{OS: 4}, {OS: 6, Core: 1, LLC: 1}}}
	if got := top.DistanceOS(4, 6); got != LevelNUMA {
		t.Errorf("%v", got)
	}
	if _, ok := top.CPU(5); ok {
		t.Error("found a CPU that is not there")
	}
}
