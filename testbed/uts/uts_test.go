package uts

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func mustParse(t testing.TB, flags string) *Tree {
	t.Helper()
	tree, err := Parse(flags)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestStatesAreTheReferences(t *testing.T) {
	state := func(n Node) string { return fmt.Sprintf("%x", n.State) }
	root0, root19 := mustParse(t, "-r0").Root(), mustParse(t, "T1").Root()
	child := mustParse(t, "T1").Child(&root19, 0)
	for _, v := range []struct{ name, got, want string }{
		{"root(0)", state(root0), "6768033e216468247bd031a0a2d9876d79818f8f"},
		{"root(19)", state(root19), "c6988ab70cc9559ae4d6cba254e29a845a85f86b"},
		{"root(19).child(0)", state(child), "2fb3131030280c1617a81d6a49c1e29effb19645"},
	} {
		if v.got != v.want {
			t.Errorf("%s = %s, want %s", v.name, v.got, v.want)
		}
	}
	if root19.Depth != 0 || child.Depth != 1 {
		t.Errorf("depths %d and %d, want 0 and 1", root19.Depth, child.Depth)
	}
}

func TestShortTreesHaveExactCounts(t *testing.T) {
	for _, v := range []struct {
		flags         string
		nodes, leaves uint64
	}{
		{"-t1 -a3 -d5 -b4 -r19", 3987, 3232},
		{"-t1 -a3 -d8 -b4 -r19", 257042, 205878},
	} {
		got := mustParse(t, v.flags).Search()
		if got.Nodes != v.nodes || got.Leaves != v.leaves {
			t.Errorf("%s: %d nodes, %d leaves, want %d and %d", v.flags, got.Nodes, got.Leaves, v.nodes, v.leaves)
		}
	}
}

// TestPublishedTreesHaveExactCounts covers every type and, with the small
// trees, every shape but ExpDec, which has no published tree.
func TestPublishedTreesHaveExactCounts(t *testing.T) {
	for _, tree := range published {
		t.Run(tree.Name, func(t *testing.T) {
			if testing.Short() {
				t.Skip("takes half a second")
			}
			if strings.HasSuffix(tree.Name, "L") && !*long {
				t.Skip("about 100 M nodes; run with -long")
			}
			if got := mustParse(t, tree.Name).Search(); got != tree.Count {
				t.Errorf("%s found %+v, want %+v", tree.Flags, got, tree.Count)
			}
		})
	}
}

// TestThresholdsAgreeWithTheFormula tries each threshold, its neighbours and random
// draws at many means, among them those of every shape.
func TestThresholdsAgreeWithTheFormula(t *testing.T) {
	means := []float64{0, 1e-12, 1e-9, 0.01, 0.5, 1, 1.0001, 3.7, 4, 50, 1000, 1e9}
	for shape := Linear; shape <= Fixed; shape++ {
		p := Params{Type: Geometric, Shape: shape, D: 9, B: 5}
		for depth := range 60 {
			means = append(means, meanAt(p, depth))
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for _, mean := range means {
		row := thresholds(mean)
		check := func(draw uint32) {
			t.Helper()
			if got, want := countReached(row, draw), geometricChildren(mean, draw); got != want {
				t.Fatalf("mean %v, draw %d: %d children, the formula says %d", mean, draw, got, want)
			}
		}
		check(0)
		check(draws - 1)
		for _, least := range row {
			check(least)
			check(max(least, 1) - 1)
			check(min(least+1, draws-1))
		}
		for range 200 {
			check(rng.Uint32N(draws))
		}
	}
}

func TestNodesWithoutRowFollowTheFormula(t *testing.T) {
	tree := mustParse(t, "-t1 -a1 -d10 -b4 -r1")
	n := tree.Root()
	for i := range 1000 {
		n = tree.Child(&n, i%3)
		want := geometricChildren(meanAt(tree.params, int(n.Depth)), n.draw())
		if got := tree.Children(&n); got != want {
			t.Fatalf("%v has %d children, want %d", n, got, want)
		}
	}
	if int(n.Depth) <= maxRows {
		t.Fatalf("depth %d did not leave the rows", n.Depth)
	}
}

func TestCaps(t *testing.T) {
	for _, v := range []struct {
		flags string
		want  int
	}{
		{"-t0 -b2000.7 -q0 -m0", 2000},         // a binomial root is exempt, and rounds down
		{"-t1 -a3 -d3 -b1e9 -r5", maxChildren}, // a geometric one is not
		{"-t2 -f0 -b7 -q0.01 -m100 -r1", 0},    // a hybrid root below f·d is an ordinary binomial node
		{"-t1 -b0", 0},
	} {
		tree := mustParse(t, v.flags)
		root := tree.Root()
		if got := tree.Children(&root); got != v.want {
			t.Errorf("%s: the root has %d children, want %d", v.flags, got, v.want)
		}
	}
	tree := mustParse(t, "-t0 -b1 -q0.005 -m200")
	full := Node{Depth: 1} // draw 0 is below every q
	if got := tree.Children(&full); got != maxChildren {
		t.Errorf("a binomial node with -m200 has %d children, want %d", got, maxChildren)
	}
}

// TestPartsAddUp is what a parallel search relies on: any cut of the tree
// gives the same count.
func TestPartsAddUp(t *testing.T) {
	tree := mustParse(t, "-t1 -a3 -d8 -b4 -r19")
	root := tree.Root()
	var sum Count
	children := tree.Children(&root)
	sum.Visit(&root, children)
	for i := children - 1; i >= 0; i-- {
		sum.Add(tree.SearchFrom(tree.Child(&root, i)))
	}
	if whole := tree.Search(); sum != whole {
		t.Errorf("parts add up to %+v, the whole is %+v", sum, whole)
	}
}

func TestANodeAllocatesNothing(t *testing.T) {
	for _, flags := range []string{"-t1 -a3 -d5 -b4 -r19", "-t0 -b20 -q0.12 -m8 -r42", "-t2 -d6 -r3"} {
		tree := mustParse(t, flags)
		if n := testing.AllocsPerRun(5, func() { tree.Search() }); n != 0 {
			t.Errorf("%s: a search allocates %v times", flags, n)
		}
	}
}

func BenchmarkSearchT1D8(b *testing.B) {
	tree := mustParse(b, "-t1 -a3 -d8 -b4 -r19")
	var nodes uint64
	for b.Loop() {
		nodes += tree.Search().Nodes
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(nodes), "ns/node")
}
