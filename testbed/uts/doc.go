// Package uts is the tree of the Unbalanced Tree Search benchmark (Olivier et
// al., LCPC 2006): a tree that exists nowhere and is drawn from a hash as it is
// walked. A node is 20 bytes and a depth; its children follow from it alone,
// so any subtree can be searched by anybody, in any order, and the number of
// nodes must come out the same to the last one. That makes it two things at
// once: the field's benchmark of load balancing, because subtree sizes cannot
// be foreseen, and an exact check, because a task that is lost or run twice
// shows in the count.
//
// # The definition
//
//   - root(seed) = SHA1(16 zero bytes ‖ BE32(seed)).
//   - child(i) = SHA1(parent[20] ‖ BE32(i)), i = 0, 1, ... n-1.
//   - h = BE32(state[16:20]) & 0x7fffffff is the node's draw, u = h / 2^31.
//   - A Binomial node has m children when u < q and none otherwise; the root
//     has floor(b).
//   - A Geometric node has floor(ln(1-u) / ln(1-p)) children, p = 1/(1+b_i),
//     where b_i is the mean that the Shape gives to its depth (b at the root).
//   - A Hybrid node is Geometric while depth < f·d, and Binomial below.
//   - No node but a Binomial root has more than 100 children.
//
// # What a node costs
//
// The parallel search and the sequential one it is measured against share this
// code, so a slow node would flatter every scheduler: the cheaper the node, the
// more of the time is the scheduler's. Two things are therefore done. A hash
// is taken over an array on the stack; nothing is allocated. And the two
// logarithms of the definition, about a third of the work, are gone: floor(ln(1-u) /
// ln(1-p)) depends on the draw h alone and rises with it, so each depth gets a
// row of thresholds, the least h that yields k children, made once with the very
// formula that it replaces. Counting children is then a few integer compares,
// and the answer is the same for all 2^31 draws, not merely close.
//
// Rejected: keeping ln(1-p) and dividing (exact, but half of the cost stays),
// and thresholds from the closed form 1-(1-p)^k (fast to make, but off by one
// draw here and there, which is a wrong tree).
//
// The package is pure: no clock, no operating system, no goroutine. A Tree is
// immutable once made and safe for concurrent use.
package uts
