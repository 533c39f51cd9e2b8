package main

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/filchsched/filch/node"
	"github.com/filchsched/filch/testbed/uts"
)

// Found is what was in it.
type Found struct {
	Count uts.Count
	By    map[string]uint64 // how many nodes of the tree each node of the cluster has seen, by its ID
}

func (f *Found) add(g Found) {
	f.Count.Add(g.Count)
	for id, n := range g.By {
		f.By[id] += n
	}
}

// search is the one function. It calls itself, so it is defined when it can be named.
var search node.Func[uts.Part, Found]

func init() { search = node.Define("uts-search", searchPart, node.Version(1)) }

// stepsPerLook is how many nodes of the tree are seen between two looks at whether somebody else is idle: about 10 µs.
const stepsPerLook = 64

// began is told of each part where it begins, for tests that wait for that; nil: nobody waits.
var began atomic.Pointer[func(*node.Node)]

// searchPart walks over its part, and splits off half of what is left whenever somebody would take that. So
// there are as many tasks as there are idle cores to feed, and not one per node of the tree.
func searchPart(ctx context.Context, p uts.Part) (Found, error) {
	tree, err := treeOf(p.Params)
	if err != nil {
		return Found{}, err
	}
	if tell := began.Load(); tell != nil {
		(*tell)(node.Here(ctx))
	}
	w := uts.NewWalker(tree, p)
	var others []*node.Future[Found]
	for w.Steps(stepsPerLook) {
		if ctx.Err() != nil {
			return Found{}, context.Cause(ctx)
		}
		if node.Hungry(ctx) {
			if half, ok := w.Split(); ok {
				others = append(others, search.Go(ctx, nil, half))
			}
		}
	}
	all := Found{Count: w.Count(), By: map[string]uint64{node.Here(ctx).ID(): w.Count().Nodes}}
	for _, o := range slices.Backward(others) { // the newest is the likeliest to be here still
		f, err := o.Wait(ctx)
		if err != nil {
			return all, err
		}
		all.add(f)
	}
	return all, nil
}

// lastTree is the tree of the part before: making one takes longer than a small part does.
var lastTree atomic.Pointer[uts.Tree]

func treeOf(p uts.Params) (*uts.Tree, error) {
	if t := lastTree.Load(); t != nil && t.Params() == p {
		return t, nil
	}
	t, err := uts.New(p)
	if err == nil {
		lastTree.Store(t)
	}
	return t, err
}

// searchAll searches a tree by way of node n.
func searchAll(ctx context.Context, n *node.Node, p uts.Params) (Found, error) {
	tree, err := treeOf(p)
	if err != nil {
		return Found{}, err
	}
	root := tree.Root()
	children := tree.Children(&root)
	all := Found{By: map[string]uint64{n.ID(): 1}}
	all.Count.Visit(&root, children)
	if children == 0 {
		return all, nil
	}
	f, err := search.Call(ctx, n, uts.Part{Params: p, Parent: root, Hi: int32(children)})
	all.add(f)
	return all, err
}
