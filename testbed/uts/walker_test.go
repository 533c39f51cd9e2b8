package uts

import (
	"math/rand/v2"
	"testing"
)

// TestPartsAreTheWhole: however a tree is cut up while it is walked over, each of its nodes is seen once.
func TestPartsAreTheWhole(t *testing.T) {
	for _, flags := range []string{"-t1 -a3 -d6 -b4 -r19", "-t1 -a2 -d4 -b5 -r502", "-t0 -b200 -q0.12 -m8 -r42", "-t2 -d8 -b5 -r1", "-t0 -b1 -m1 -q1 -r3 -d5", "-t1 -b0"} {
		tree, err := Parse(flags)
		if err != nil {
			t.Fatal(err)
		}
		if flags == "-t0 -b1 -m1 -q1 -r3 -d5" {
			continue // an endless chain: see TestAChainIsNotSplit
		}
		want := tree.Search()
		for seed := range uint64(20) {
			rng := rand.New(rand.NewPCG(seed, 7))
			root := tree.Root()
			children := tree.Children(&root)
			var got Count
			got.Visit(&root, children)
			parts := []Part{{Params: tree.Params(), Parent: root, Hi: int32(children)}}
			for len(parts) > 0 {
				i := rng.IntN(len(parts))
				w := NewWalker(tree, parts[i])
				parts[i] = parts[len(parts)-1]
				parts = parts[:len(parts)-1]
				for w.Steps(1 + rng.IntN(100)) {
					if half, ok := w.Split(); ok && rng.IntN(2) == 0 {
						parts = append(parts, half)
					} else if ok { // it is as well to walk over it at once
						v := NewWalker(tree, half)
						for v.Steps(1000) {
						}
						got.Add(v.Count())
					}
				}
				got.Add(w.Count())
			}
			if got != want {
				t.Fatalf("%s, seed %d: %+v, the whole is %+v", flags, seed, got, want)
			}
		}
	}
}

// TestAChainIsNotSplit: something is left on both sides of a cut, or there is none.
func TestAChainIsNotSplit(t *testing.T) {
	tree, err := Parse("-t0 -b1 -m1 -q1 -r3")
	if err != nil {
		t.Fatal(err)
	}
	w := NewWalker(tree, Part{Params: tree.Params(), Parent: tree.Root(), Hi: 1})
	for range 100 {
		if p, ok := w.Split(); ok {
			t.Fatalf("split off %+v", p)
		}
		w.Steps(1)
	}
}
