package sim

import (
	"slices"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal/core"
)

// This file is what the checker knows about where tasks may run.

// restrict bounds where a job may run, so that somebody is left who can run it for
// as long as the world lasts: its home, or the node that this is a guest of.
func (w *world) restrict(home *node, t *core.Terms) {
	if home.cores == 0 && home.host == nil {
		if w.chance(0.1) {
			t.Where.MaxRunning = 1 + w.rng.Uint32N(4)
		}
		return
	}
	some := func() core.PeerID { return w.nodes[w.rng.IntN(len(w.nodes))].id }
	switch k := w.rng.IntN(16); {
	case k < 2:
		t.Where.MaxRunning = 1 + w.rng.Uint32N(4)
	case k == 2:
		t.Where.Local = true
	case k == 3:
		t.Where.On = []core.PeerID{home.id, some()}
		if home.host != nil {
			t.Where.On = append(t.Where.On, home.host.id)
		}
	case k == 4:
		if p := some(); p != home.id && (home.host == nil || p != home.host.id) {
			t.Where.Avoid = []core.PeerID{p}
		}
	case k < 8 && home.hasDir:
		t.Where.Dir = &core.Dir{Path: "/work", File: "proof", Nonce: [32]byte{byte(w.rng.IntN(256)), 7}}
	}
}

// wrong says why a job's task must not be at a node; empty when it may.
func (c *checker) wrong(f *fate, n *node) string {
	t := &f.terms
	switch {
	case len(t.Where.On) > 0 && !slices.Contains(t.Where.On, n.id):
		return "is not among those that it names"
	case slices.Contains(t.Where.Avoid, n.id):
		return "is to be avoided"
	case slices.ContainsFunc(t.Where.Require, func(l string) bool { return !slices.Contains(n.labels, l) }):
		return "does not have the label"
	case n == f.home || n == f.home.host:
		return ""
	case t.Where.Local:
		return "is not its home's machine"
	case !slices.Contains(n.kinds(), t.Kind):
		return "does not run this kind"
	case t.Kind == task.KindFunc && len(n.funcs) > 0 && !slices.Contains(n.funcs, t.Name):
		return "does not know the function"
	case t.Where.Dir != nil && !n.hasDir:
		return "does not have the directory"
	}
	return ""
}

// kinds are those that a node runs for others.
func (n *node) kinds() []task.Kind {
	if n.onlyFuncs {
		return []task.Kind{task.KindFunc}
	}
	return []task.Kind{task.KindFunc, task.KindProc}
}

// lends judges that a node lends a core to its guest.
func (c *checker) lends(n *node, r core.Run) {
	f := c.fate(r.Piece.Job)
	if why := c.wrong(f, n); why != "" {
		c.blame(f, r.Piece.Lo, "where: %s lends a core for %v, and %s", n.name, r.Piece, why)
	}
	if f.home.most > 0 && len(n.lentTo(f.home)) >= f.home.most {
		c.blame(f, r.Piece.Lo, "jobs: %s lends %s more than %d cores", n.name, f.home.name, f.home.most)
	}
}

func (n *node) lentTo(g *node) (all []core.Piece) {
	for _, p := range n.engine.lent {
		if p.Job.Home == g.id {
			all = append(all, p)
		}
	}
	return all
}

// A proofKey names a proof that was sent on a channel.
type proofKey struct {
	from, to *node
	epoch    uint64
	job      core.JobID
}

// granted judges where a part goes.
func (c *checker) granted(from, to *node, epoch uint64, p *core.Part) {
	f := c.fate(p.Job)
	if from == f.home && to == f.home.host {
		return // it holds it for others
	}
	if why := c.wrong(f, to); why != "" {
		c.blame(f, p.Lo, "where: %v is granted to %s, which %s", p.Piece, to.name, why)
	}
	if f.terms.Where.Dir != nil && !c.proofs[proofKey{to, from, epoch, p.Job}] {
		c.blame(f, p.Lo, "directory: %v is granted to %s, which has not proven its directory", p.Piece, to.name)
	}
}

// bounded judges that a home has no more out than its job allows, after it gave something out.
func (c *checker) bounded(f *fate, n *node) {
	most := int(f.terms.Where.MaxRunning)
	if most == 0 || n != f.home || n.life != f.life || n.core == nil {
		return
	}
	out := 0
	for i := range f.tasks {
		out += n.core.Out(f.id, uint64(i))
	}
	if out > most {
		c.blame(f, 0, "most: %d tasks of %v are out, and it allows %d", out, f.id, most)
	}
}

// hedged judges a second attempt that a home grants by itself.
func (c *checker) hedged(f *fate, from *node, p *core.Part) {
	if from != f.home || from.life != f.life || from.core.Out(f.id, p.Lo) < 2 {
		return
	}
	f.tasks[p.Lo].hedged = true
	if f.terms.Kind == task.KindProc && !f.terms.Idempotent && !f.terms.Keep {
		c.blame(f, p.Lo, "hedge: %v is a second attempt at a command", p.Piece)
	}
	if c.w.tasks[f.id].hedged || c.w.faults > 0 {
		return // others made second attempts, too
	}
	two := 0
	for i := range f.tasks {
		if from.core.Out(f.id, uint64(i)) > 1 {
			two++
		}
	}
	if two > max(1, len(f.tasks)/20) {
		c.blame(f, p.Lo, "hedge: %d of %d tasks of %v have two attempts", two, len(f.tasks), f.id)
	}
	c.w.hedges++
}
