package uts

// A Count is what a search found. Counts of disjoint parts of a tree add up to
// the count of the whole, in any order.
type Count struct {
	Nodes  uint64
	Leaves uint64 // nodes without children
	Depth  int    // of the deepest node, 0 for the root
}

// Visit counts one node with that many children.
func (c *Count) Visit(n *Node, children int) {
	c.Nodes++
	if children == 0 {
		c.Leaves++
	}
	c.Depth = max(c.Depth, int(n.Depth))
}

// Add counts what another search found in another part of the tree.
func (c *Count) Add(part Count) {
	c.Nodes += part.Nodes
	c.Leaves += part.Leaves
	c.Depth = max(c.Depth, part.Depth)
}

// Search walks the whole tree in this goroutine, depth first, and counts it:
// the baseline of every parallel search. Its stack is as deep as the tree.
func (t *Tree) Search() Count {
	return t.SearchFrom(t.Root())
}

// SearchFrom counts the subtree under n, n included. Depths are counted from
// the root of the tree, not from n.
func (t *Tree) SearchFrom(n Node) Count {
	var c Count
	t.search(&n, &c)
	return c
}

func (t *Tree) search(n *Node, c *Count) {
	children := t.Children(n)
	c.Visit(n, children)
	var child Node // outside the loop: inside, it would escape to the heap
	for i := range children {
		child = t.Child(n, i)
		t.search(&child, c)
	}
}
