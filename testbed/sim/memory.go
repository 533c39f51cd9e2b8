package sim

import "github.com/filchsched/filch/steal/core"

// This file is about memory: in some worlds nodes have little of it, and every second job declares what its tasks need.
// No random number is drawn for it, so that other worlds stay what they were.

// nodeMemory is what nodes have in such a world, in bytes; tasks need a fifth of it, up to all but a tenth.
const nodeMemory = 100

// limit is what a node has for tasks; 0: no bound. A guest's tasks count where they are lent cores.
func (n *node) limit() int64 {
	if n.w.narrow && n.host == nil {
		return nodeMemory
	}
	return 0
}

// needs is what the tasks of a job declare.
func (w *world) needs(ref uint64) int64 {
	if !w.narrow || (w.seed/5+ref)%2 == 0 {
		return 0
	}
	return nodeMemory/5 + int64((w.seed*7+ref*13)%(nodeMemory*7/10))
}

// filled is called when something starts at a node: what runs there has declared no more than there is, together.
// A child starts where everything waits, whatever its parents hold.
func (c *checker) filled(n *node, r *core.Run, used int) {
	if n.limit() == 0 || r.Terms.Child && used == 0 {
		return
	}
	sum := r.Terms.Needs.Memory
	for _, x := range n.engine.runs {
		sum += x.Terms.Needs.Memory
	}
	for _, p := range n.engine.lent {
		sum += c.fate(p.Job).terms.Needs.Memory
	}
	if r.Terms.Needs.Memory > 0 && sum > n.limit() {
		c.blame(c.fate(r.Piece.Job), r.Piece.Lo, "memory: with %v tasks at %s have declared %d of %d", r.Piece, n.name, sum, n.limit())
	}
}
