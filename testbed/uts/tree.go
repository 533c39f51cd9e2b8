package uts

import (
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"math"
)

// maxChildren is the definition's cap on the children of every node but a
// Binomial root.
const maxChildren = 100

// A Node is one node of a tree: its state and how far it is from the root. It
// is plain data, 24 bytes, and may be copied and sent.
type Node struct {
	State [sha1.Size]byte
	Depth int32
}

// draw is the node's random number, below 2^31.
func (n *Node) draw() uint32 {
	return binary.BigEndian.Uint32(n.State[16:]) & math.MaxInt32
}

// A Tree is drawn from Params. It is immutable and safe for concurrent use.
type Tree struct {
	params       Params
	rows         [][]uint32 // by depth: thresholds of the Geometric part
	geometric    int32      // depths below this one are Geometric
	fullBelow    uint32     // a Binomial node with a smaller draw has children
	full         int        // and this many
	rootChildren int        // of a Binomial root
}

// New makes the tree that p describes; the error says which parameter is wrong.
func New(p Params) (*Tree, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	t := &Tree{
		params:       p,
		fullBelow:    uint32(math.Ceil(p.Q * draws)),
		full:         min(p.M, maxChildren),
		rootChildren: int(math.Floor(p.B)),
	}
	switch p.Type {
	case Geometric:
		t.geometric = math.MaxInt32
	case Hybrid:
		t.geometric = int32(math.Ceil(p.F * float64(p.D)))
	}
	t.rows = makeRows(p, int(min(t.geometric, maxRows)))
	return t, nil
}

// Parse makes the tree that the flags (or the name of a published tree) in s
// describe.
func Parse(s string) (*Tree, error) {
	p, err := ParseParams(s)
	if err != nil {
		return nil, err
	}
	return New(p)
}

// Params returns what the tree was made from.
func (t *Tree) Params() Params { return t.params }

// Root returns the root.
func (t *Tree) Root() Node {
	var seed [sha1.Size]byte
	binary.BigEndian.PutUint32(seed[16:], t.params.Seed)
	return Node{State: sha1.Sum(seed[:])}
}

// Children returns how many children n has. It neither allocates nor writes.
func (t *Tree) Children(n *Node) int {
	if int(n.Depth) < len(t.rows) {
		return countReached(t.rows[n.Depth], n.draw())
	}
	return t.childrenBelowRows(n)
}

// childrenBelowRows answers for what has no row: the Binomial part, and the
// depths of a Geometric tree beyond maxRows.
func (t *Tree) childrenBelowRows(n *Node) int {
	switch {
	case n.Depth < t.geometric:
		return geometricChildren(meanAt(t.params, int(n.Depth)), n.draw())
	case n.Depth == 0 && t.params.Type == Binomial:
		return t.rootChildren
	case n.draw() < t.fullBelow:
		return t.full
	}
	return 0
}

// Child returns the i-th child of n, counted from 0. It does not check that n
// has one: i must be below Children(n). It does not allocate.
func (t *Tree) Child(n *Node, i int) Node {
	var message [sha1.Size + 4]byte
	copy(message[:], n.State[:])
	binary.BigEndian.PutUint32(message[sha1.Size:], uint32(i))
	return Node{State: sha1.Sum(message[:]), Depth: n.Depth + 1}
}

// String renders the state as hexadecimal and the depth, for messages.
func (n Node) String() string { return fmt.Sprintf("%x@%d", n.State, n.Depth) }
