package uts

// A Part of a tree is some of the children of one node, and everything below them. A subtree travels as its
// root, 24 bytes, because the rest follows from that.
type Part struct {
	Params Params
	Parent Node
	Lo, Hi int32 // children Lo to Hi-1
}

// A Walker searches a part depth first with a stack of its own, which can be cut in two: what lies at its bottom
// is nearest to the root, so it is likely to be the most.
type Walker struct {
	tree   *Tree
	params Params
	stack  []frame
	bottom int // frames below have nothing left
	count  Count
}

// A frame is a node of the tree with the children that are still to be seen.
type frame struct {
	node     Node
	next, hi int32
}

// NewWalker begins at a part of a tree.
func NewWalker(tree *Tree, p Part) *Walker {
	return &Walker{tree: tree, params: p.Params, stack: []frame{{p.Parent, p.Lo, p.Hi}}}
}

// Count is what was seen so far.
func (w *Walker) Count() Count { return w.count }

// Steps sees up to n nodes, and tells whether there are more.
func (w *Walker) Steps(n int) bool {
	var child Node // outside the loop: inside, it would escape to the heap
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

// Split takes away half of the children that are left of the node nearest to the root; ok is false if nothing
// would be left here.
func (w *Walker) Split() (p Part, ok bool) {
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
func (w *Walker) leftAbove(i int) bool {
	for _, f := range w.stack[i+1:] {
		if f.next < f.hi {
			return true
		}
	}
	return false
}
