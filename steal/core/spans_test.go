package core

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSpansAgreeWithAnArray compares Spans with the obvious thing.
func TestSpansAgreeWithAnArray(t *testing.T) {
	const n = 40
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var m Spans[int]
		var want [n]int // 0: none
		for range 60 {
			lo := rng.Uint64N(n)
			s := Span{lo, lo + rng.Uint64N(n-lo+1)}
			v := rng.IntN(4)
			if v == 0 {
				m.Clear(s)
			} else {
				m.Set(s, v)
			}
			for i := s.Lo; i < s.Hi; i++ {
				want[i] = v
			}
			for i := range uint64(n) {
				if got, ok := m.Get(i); got != want[i] || ok != (want[i] != 0) {
					t.Fatalf("seed %d: index %d is %d, %v, want %d\n%v", seed, i, got, ok, want[i], slices.Collect(m.Runs()))
				}
			}
			wholesome(t, &m)
		}
	}
}

func TestAMillionTasksAreOneRun(t *testing.T) {
	var m Spans[int]
	m.Set(Span{0, 1e6}, 1)
	for i := uint64(0); i < 1e6; i += 1000 {
		m.Set(Span{i, i + 1000}, 2)
		if n := len(slices.Collect(m.Runs())); n > 2 {
			t.Fatalf("%d runs after %d indices in rising order", n, i)
		}
	}
	if m.Count(2) != 1e6 {
		t.Fatalf("%d", m.Count(2))
	}
}

// wholesome: sorted, disjoint and joined, in blocks that are neither empty nor too large.
func wholesome(t *testing.T, m *Spans[int]) {
	t.Helper()
	size := uint64(0)
	all := slices.Collect(m.Runs())
	for k, r := range all {
		size += r.Len()
		if r.Lo >= r.Hi || k > 0 && (all[k-1].Hi > r.Lo || all[k-1].Hi == r.Lo && all[k-1].Value == r.Value) {
			t.Fatalf("not sorted, disjoint and joined: %v", all)
		}
	}
	for _, b := range m.blocks {
		if len(b) == 0 || len(b) > maxBlock {
			t.Fatalf("a block of %d", len(b))
		}
	}
	if size != m.Len() {
		t.Fatalf("%d indices are counted as %d", size, m.Len())
	}
}

// TestSpansInManyBlocks: the same with more runs than a block has.
func TestSpansInManyBlocks(t *testing.T) {
	const n = 5000
	rng := rand.New(rand.NewPCG(1, 2))
	var m Spans[int]
	var want [n]int
	for round := range 40_000 {
		lo := rng.Uint64N(n)
		s := Span{lo, min(n, lo+1+rng.Uint64N(3))}
		if round%5000 == 4999 {
			s.Hi = min(n, lo+2000)
		}
		v := rng.IntN(3)
		if v == 0 {
			m.Clear(s)
		} else {
			m.Set(s, v)
		}
		for i := s.Lo; i < s.Hi; i++ {
			want[i] = v
		}
		if got, _ := m.Get(lo); got != v {
			t.Fatalf("round %d: index %d is %d, want %d", round, lo, got, v)
		}
		if round%1000 != 0 {
			continue
		}
		wholesome(t, &m)
		var got [n]int
		for _, r := range m.In(Span{0, n}) {
			for i := r.Lo; i < r.Hi; i++ {
				got[i] = r.Value
			}
		}
		if got != want {
			t.Fatalf("round %d: In differs", round)
		}
	}
}
