package main

import (
	"flag"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/filchsched/filch/node"
	"github.com/filchsched/filch/node/nodetest"
	"github.com/filchsched/filch/testbed/uts"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFlagsAreTheReferences(t *testing.T) {
	t1, err := uts.ParseParams("T1")
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"T1", "-t1 -a3 -d10 -b4 -r19", "-t 1 -a 3 -d 10 -b 4 -r 19 -nodes 2", "-nodes 2 T1", "T1 -nodes=2", "-t=1 -a=3 -d=10 -r=19"} {
		if o, err := parse(strings.Fields(args), io.Discard); err != nil || o.tree != t1 {
			t.Errorf("%s: %v, %v", args, o.tree, err)
		}
	}
	for args, says := range map[string]string{"-t9": "-t 9", "T9": "published tree", "T1 -d5": "either", "-x": "not defined", "T1 T3": "either", "-r -1": "-r -1"} {
		if _, err := parse(strings.Fields(args), io.Discard); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", args, err)
		}
	}
}

// long adds T1L, of 102 M nodes, to the tests.
var long = flag.Bool("long", false, "search T1L too")

// trees are what the tests search; the published ones without -short.
func trees(t *testing.T) []uts.PublishedTree {
	var all []uts.PublishedTree
	for _, flags := range []string{"-t1 -a3 -d7 -b4 -r19", "-t0 -b200 -q0.12 -m8 -r42", "-t1 -b0"} {
		tree, err := uts.Parse(flags)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, uts.PublishedTree{Name: flags, Flags: flags, Count: tree.Search()})
	}
	if !testing.Short() {
		for _, name := range []string{"T1", "T3", "T1L"} {
			if tree, ok := uts.Published(name); ok && (name != "T1L" || *long) {
				all = append(all, tree)
			}
		}
	}
	return all
}

// TestTheCountIsExact on 1, 2 and 4 nodes.
func TestTheCountIsExact(t *testing.T) {
	for _, nodes := range []int{1, 2, 4} {
		c := nodetest.Start(t, nodes, nodetest.Unencoded)
		for _, tree := range trees(t) {
			p, _ := uts.ParseParams(tree.Flags)
			start := time.Now()
			f, err := searchAll(t.Context(), c.Node(0), p)
			t.Logf("%s on %d nodes: %.2f s", tree.Name, nodes, time.Since(start).Seconds())
			if err != nil || f.Count != tree.Count {
				t.Errorf("%s on %d nodes: %+v, %v; want %+v", tree.Name, nodes, f, err, tree.Count)
			}
		}
	}
}

// TestTheCountIsExactWhenNodesAreKilledAndAdded midway: a node goes that had begun a part, another comes.
func TestTheCountIsExactWhenNodesAreKilledAndAdded(t *testing.T) {
	c := nodetest.Start(t, 3, nodetest.Unencoded)
	tree, _ := uts.Published("T1")
	if testing.Short() {
		tree.Flags = "-t1 -a3 -d9 -b4 -r19"
		whole, _ := uts.Parse(tree.Flags)
		tree.Count = whole.Search()
	}
	p, _ := uts.ParseParams(tree.Flags)
	victim, begun := c.Node(1).ID(), make(chan struct{})
	once := sync.OnceFunc(func() { close(begun) })
	tell := func(n *node.Node) {
		if n.ID() == victim {
			once()
		}
	}
	began.Store(&tell)
	defer began.Store(nil)
	type result struct {
		Found
		err error
	}
	done := make(chan result, 1)
	go func() {
		f, err := searchAll(t.Context(), c.Node(0), p)
		done <- result{f, err}
	}()
	select {
	case <-begun:
		c.Kill(1)
		c.Add()
	case r := <-done:
		t.Fatalf("the tree was searched before node 1 had a part: %+v", r)
	}
	if r := <-done; r.err != nil || r.Count != tree.Count {
		t.Errorf("%+v, want %+v", r, tree.Count)
	}
}

// TestTheLastLine is exactly what the issue says, over nodes with ports.
func TestTheLastLine(t *testing.T) {
	for _, nodes := range []int{1, 2} {
		var out, log strings.Builder
		if err := run(t.Context(), []string{"-t1", "-a3", "-d5", "-b4", "-r19", "-nodes", fmt.Sprint(nodes)}, &out, &log); err != nil {
			t.Fatalf("%v\n%s", err, log.String())
		}
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if last := lines[len(lines)-1]; last != "nodes=3987 depth=5 leaves=3232" {
			t.Errorf("on %d nodes: %q", nodes, last)
		}
	}
}
