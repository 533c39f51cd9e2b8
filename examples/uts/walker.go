package main

import "github.com/filchsched/filch/testbed/uts"

// A walker searches a part depth first with a stack of its own, which can be cut in two: what lies at its bottom
// is nearest to the root, so it is likely to be the most.
type walker struct {
	tree   *uts.Tree
	params uts.Params
	stack  []frame
	bottom int // frames below have nothing left
	count  uts.Count
}

// A frame is a node of the tree with the children that are still to be seen.
type frame struct {
	node     uts.Node
	next, hi int32
}

func newWalker(tree *uts.Tree, p Part) *walker {
	return &walker{tree: tree, params: p.Params, stack: []frame{{p.Parent, p.Lo, p.Hi}}}
}

// steps sees up to n nodes, and tells whether there are more.
func (w *walker) steps(n int) bool {
	var child uts.Node // outside the loop: inside, it would escape to the heap
	for ; n > 0 && len(w.stack) > 0; n-- {
		f := &w.stack[len(w.stack)-1]
		if f.next >= f.hi {
			w.stack = w.stack[:len(w.stack)-1]
			continue
		}
		child = w.tree.Child(&f.node, int(f.next))
		f.next++
		children := w.tree.Children(&child)
		w.count.Visit(&child, children)
		if children > 0 {
			w.stack = append(w.stack, frame{child, 0, int32(children)})
		}
	}
	return len(w.stack) > 0
}

// split takes away half of the children that are left of the node nearest to the root; ok is false if nothing
// would be left here.
func (w *walker) split() (p Part, ok bool) {
	w.bottom = min(w.bottom, len(w.stack))
	for w.bottom < len(w.stack) && w.stack[w.bottom].next >= w.stack[w.bottom].hi {
		w.bottom++
	}
	if w.bottom == len(w.stack) {
		return p, false
	}
	f := &w.stack[w.bottom]
	left := f.hi - f.next
	half := left / 2
	if left == 1 {
		if !w.leftAbove(w.bottom) {
			return p, false
		}
		half = 1
	}
	f.hi -= half
	return Part{Params: w.params, Parent: f.node, Lo: f.hi, Hi: f.hi + half}, true
}

// leftAbove tells whether something is left beyond frame i.
func (w *walker) leftAbove(i int) bool {
	for _, f := range w.stack[i+1:] {
		if f.next < f.hi {
			return true
		}
	}
	return false
}
