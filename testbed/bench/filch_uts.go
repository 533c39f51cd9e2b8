//go:build !nofilch

package main

import (
	"context"

	"github.com/filchsched/filch/exec"
	"github.com/filchsched/filch/testbed/uts"
)

// A brood is some of the children of a node, with all that is under them: what
// one task searches.
type brood struct {
	tree   *uts.Tree
	parent uts.Node
	lo, hi int
}

// searchFn is set in init because its body refers to it.
var searchFn *exec.Fn[brood, uts.Count]

func init() { searchFn = exec.Define(searchBrood) }

func searchBrood(c *exec.Ctx, b brood) uts.Count {
	var count uts.Count
	search(c, b.tree, &b.parent, b.lo, b.hi, &count)
	return count
}

// search is the sequential search of the children lo to hi of n with one load per
// node added. Only when a worker is hungry is anything spawned: half of the children
// that are left at this node. A first split may be small, deep in the tree; while
// the hunger lasts, each level that the search returns to splits as well, and
// thieves take the oldest.
func search(c *exec.Ctx, t *uts.Tree, n *uts.Node, lo, hi int, count *uts.Count) {
	var child uts.Node // outside the loop: inside, it would escape to the heap
	for i := lo; i < hi; i++ {
		if i+1 < hi && c.Hungry() {
			searchSplit(c, brood{t, *n, i, hi}, count)
			return
		}
		child = t.Child(n, i)
		children := t.Children(&child)
		count.Visit(&child, children)
		search(c, t, &child, 0, children, count)
	}
}

// searchSplit searches b, which has at least two children, as two tasks.
func searchSplit(c *exec.Ctx, b brood, count *uts.Count) {
	middle := b.lo + (b.hi-b.lo)/2
	rest := searchFn.Spawn(c, brood{b.tree, b.parent, middle, b.hi})
	search(c, b.tree, &b.parent, b.lo, middle, count)
	count.Add(rest.Join(c))
}

func filchUTS(set settings, tree *uts.Tree, want uts.Count) contender {
	return contender{
		name:   "filch",
		filch:  true,
		config: "splits lazily: one Ctx.Hungry per node, Spawn only when it says so; fairness, panic safety and accounting on",
		run: func(ctx context.Context, c *clock) error {
			return onEngine(set, func(j *exec.Job) error {
				for c.more() {
					var got uts.Count
					var err error
					c.time(func() { got, err = searchTree(ctx, j, tree) })
					if err != nil {
						return err
					}
					if err := checkCount(got, want); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}

func searchTree(ctx context.Context, j *exec.Job, tree *uts.Tree) (uts.Count, error) {
	root := tree.Root()
	children := tree.Children(&root)
	count, err := searchFn.Call(ctx, j, brood{tree, root, 0, children})
	count.Visit(&root, children)
	return count, err
}
