package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal/core"
)

// addGuest makes a guest of a node: a process on its machine that is a home, has
// no cores, and executes its own tasks on those that the node lends.
func (w *world) addGuest(host *node, k int) *node {
	g := &node{w: w, name: fmt.Sprintf("g%d", k), id: core.PeerID(fmt.Sprintf("g%d", k)), host: host, slow: host.slow, labels: host.labels,
		rate: host.rate, offset: host.offset, loose: w.chance(0.5), hasDir: host.hasDir, most: w.rng.IntN(3)}
	w.nodes = append(w.nodes, g)
	return g
}

// guests are those of a node that are alive.
func (n *node) guests() (all []*node) {
	for _, g := range n.w.nodes {
		if g.host == n && g.alive && g.hosted {
			all = append(all, g)
		}
	}
	return all
}

// visit connects a guest with its node.
func (g *node) visit() {
	if g.host == nil || !g.host.alive || !g.alive || g.hosted {
		return
	}
	g.hosted = true
	g.host.step(core.Guest{Peer: g.id, Here: true, Jobs: g.most})
	g.step(core.Resize{Cores: 0})
}

// bereave tells a guest that its node's process has ended. It goes on by itself, and
// returns when the node is there again as itself.
func (g *node) bereave() {
	life := g.life
	g.w.in(g.w.between(0, time.Second), func() {
		if g.life != life || !g.alive || g.host.alive && g.hosted {
			return
		}
		g.step(core.Left{Peer: g.host.id})
		g.step(core.Resize{Cores: 1})
	})
}

// leave tells the node that its guest's process has ended, and with it what it ran.
func (g *node) leave() {
	n, id, life := g.host, g.id, g.host.life
	g.hosted = false
	lent := slices.Clone(n.engine.lent)
	g.w.in(g.w.between(0, 100*time.Millisecond), func() {
		if n.life != life {
			return
		}
		n.step(core.Guest{Peer: id})
		for _, p := range lent {
			if p.Job.Home == id {
				n.engine.returned(p, core.Finished{Piece: p, State: task.Cancelled})
			}
		}
	})
}

// lend is what the engine of a node does with a piece of a guest's.
func (e *engine) lend(r core.Run, g *node) {
	n, w := e.node, e.node.w
	w.check.lends(n, r)
	e.lent = append(e.lent, r.Piece)
	life := g.life
	w.in(w.between(0, time.Millisecond), func() {
		if g.alive && g.life == life && g.id == r.Piece.Job.Home {
			g.step(core.Lent{Piece: r.Piece})
		}
	})
}

// returned ends a lend at the node, once.
func (e *engine) returned(p core.Piece, ev core.Event) {
	if k := slices.Index(e.lent, p); k >= 0 {
		e.lent = slices.Delete(e.lent, k, k+1)
		e.node.step(ev)
	}
}

// endedByHome passes the end of what a guest executes on to its node.
func (g *node) endedByHome(p core.Piece, ran time.Duration) {
	if g.host == nil {
		return
	}
	n, life := g.host, g.host.life
	g.w.in(g.w.between(0, 2*time.Millisecond), func() {
		if n.life == life && n.alive {
			n.engine.returned(p, core.RanByHome{Piece: p, Ran: ran})
		}
	})
}

// declined is the guest's no to a lend.
func (g *node) declined(p core.Piece) {
	n, life := g.host, g.host.life
	g.w.in(g.w.between(0, 2*time.Millisecond), func() {
		if n.life == life && n.alive {
			n.engine.returned(p, core.Finished{Piece: p, State: task.Cancelled})
		}
	})
}

// prove looks into a directory for the core, like the driver: after a while, and
// rarely never.
func (n *node) prove(e core.Prove) {
	w, life := n.w, n.life
	if w.chance(0.05) {
		return
	}
	b := w.tasks[e.Job]
	w.in(w.between(0, 300*time.Millisecond), func() {
		if n.life != life {
			return
		}
		ev := core.Proved{Peer: e.Peer, Job: e.Job}
		switch {
		case n.hasDir:
			ev.MAC = core.ProveDir(b.terms.Where.Dir.Nonce[:], e.Job, n.id)
		case n.liar:
			ev.MAC = core.ProveDir([]byte("made up"), e.Job, n.id)
		default:
			ev.Refused = "no such directory"
		}
		n.step(ev)
	})
}
