package sim

import (
	"time"

	"github.com/filchsched/filch/steal/core"
)

// slacken lets a run leave its cores to nobody for a while, as a function does that waits for its children.
func (w *world) slacken() {
	n := w.nodes[w.extra.IntN(len(w.nodes))]
	if !n.alive || n.frozen || n.host != nil || len(n.engine.runs) == 0 {
		return
	}
	x := n.engine.runs[w.extra.IntN(len(n.engine.runs))]
	if x.idle || x.over {
		return
	}
	x.idle = true
	w.logf("%s: %v leaves its cores", n.name, x.Piece)
	n.tellSlack()
	w.in(w.soon(0, 5*time.Second), func() { x.busyAgain() })
}

// busyAgain is the end of that. A run that ends has gone on before.
func (x *execution) busyAgain() {
	if x.idle {
		x.idle = false
		x.n.tellSlack()
	}
}

// tellSlack tells the core how many cores runs leave idle.
func (n *node) tellSlack() {
	cores := 0
	for _, x := range n.engine.runs {
		if x.idle {
			cores += min(x.Terms.Needs.CoresOrOne(), n.cores) // who is wider than the machine has all of it
		}
	}
	n.step(core.Slack{Cores: cores})
}

// crowded is called when something starts on a node's cores: beside those runs that have not left them there must
// be room. While a thawed node reads what came when it was frozen, it goes by what was.
func (c *checker) crowded(n *node, r *core.Run) {
	if n.host != nil || n.thawing || n.frozen {
		return
	}
	used := 0
	for _, x := range n.engine.runs {
		if !x.idle {
			used += x.Terms.Needs.CoresOrOne()
		}
	}
	for _, p := range n.engine.lent {
		used += c.fate(p.Job).terms.Needs.CoresOrOne()
	}
	c.filled(n, r, used)
	if need := r.Terms.Needs.CoresOrOne(); used > 0 && used+need > n.cores {
		c.blame(c.fate(r.Piece.Job), r.Piece.Lo, "cores: %v starts at %s, where %d of %d cores are in use", r.Piece, n.name, used, n.cores)
	}
}
