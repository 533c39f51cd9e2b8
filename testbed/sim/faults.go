package sim

import (
	"fmt"
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal/core"
)

// fault counts one and says when it is over.
func (w *world) fault(lasts time.Duration, format string, args ...any) {
	w.faults++
	w.lastFault = max(w.lastFault, w.now+lasts)
	w.logf("FAULT "+format, args...)
}

// crash kills a process. Its supervisor kills its commands, a moment later.
func (n *node) crash() {
	if !n.alive {
		return
	}
	w := n.w
	n.alive, n.frozen, n.suspended = false, false, false
	n.life++
	n.inbox = nil
	for _, f := range w.check.order { // a pause is not durable
		f.paused = f.paused && f.home != n
	}
	for _, c := range w.conns {
		if c.holder == n || c.grantor == n {
			w.sever(c, true)
		}
	}
	for _, x := range append([]*execution(nil), n.engine.runs...) {
		e := &n.engine
		b := w.tasks[x.Piece.Job]
		if x.Terms.Kind == task.KindFunc || x.paused {
			e.drop(x)
			w.check.ended(x, b, false)
			continue
		}
		x.over = true
		w.in(w.between(0, 2*time.Second), func() { w.check.ended(x, b, false) })
	}
	n.engine.runs = nil
	if n.host != nil && n.hosted {
		n.leave()
	}
	for _, g := range n.guests() {
		g.hosted = false
		g.bereave()
	}
}

// reboot starts the process anew: as the same node if it has a disk, else as another.
func (n *node) reboot() {
	if n.alive {
		return
	}
	w := n.w
	if n.disk != nil {
		n.boot()
		for _, g := range w.nodes {
			if g.host == n {
				g.visit()
			}
		}
	} else {
		m := *n
		m.life++
		m.id = core.PeerID(fmt.Sprintf("%s'", n.id))
		w.nodes = append(w.nodes, &m)
		m.boot()
		m.visit()
	}
	for _, o := range w.nodes {
		if o.alive && o != n && o.host == nil {
			o.step(core.Members{List: w.members(o)})
		}
	}
}

// crashed is what poison does.
func (n *node) crashed(x *execution) {
	if x.over || !n.alive {
		return
	}
	back := n.w.between(time.Second, 4*time.Second)
	n.w.fault(back, "%s dies of poison", n.name)
	n.crash()
	n.w.in(back, n.reboot)
}

// inject does one fault of the seed's choice.
func (w *world) inject(kinds []string) {
	var live []*node
	for _, n := range w.nodes {
		if n.alive {
			live = append(live, n)
		}
	}
	if len(live) == 0 {
		return
	}
	n := live[w.rng.IntN(len(live))]
	o := live[w.rng.IntN(len(live))]
	lasts := w.between(200*time.Millisecond, 25*time.Second)
	if w.chance(0.5) {
		lasts = w.between(100*time.Millisecond, 3*time.Second)
	}
	switch kind := kinds[w.rng.IntN(len(kinds))]; kind {
	case "crash", "restart":
		if kind == "restart" {
			lasts = w.between(100*time.Millisecond, 2*time.Second)
		}
		w.fault(lasts, "%s crashes, back after %v", n.name, lasts)
		n.crash()
		w.in(lasts, n.reboot)
	case "freeze", "suspend", "coma":
		if n.frozen {
			return
		}
		if kind == "coma" {
			lasts = giveUp + w.between(0, 20*time.Second)
		}
		w.fault(lasts, "%s: %s for %v", n.name, kind, lasts)
		n.frozen = true
		if kind == "suspend" || kind == "coma" && w.chance(0.5) {
			n.suspended = true
			n.engine.suspend()
		}
		life := n.life
		w.in(lasts, func() {
			if n.life == life {
				n.thaw()
			}
		})
	case "cut", "half-cut":
		if n == o {
			return
		}
		w.fault(lasts, "%s %s %s for %v", kind, n.name, o.name, lasts)
		w.block(n, o)
		if kind == "cut" {
			w.block(o, n)
		}
		w.in(lasts, func() {
			w.unblock(n, o)
			if kind == "cut" {
				w.unblock(o, n)
			}
		})
	case "isolate", "exile":
		if kind == "exile" {
			lasts = giveUp + w.between(0, 30*time.Second)
		}
		w.fault(lasts, "%s is cut off for %v", n.name, lasts)
		for _, p := range live {
			if p != n && p.host != n && n.host != p {
				w.block(n, p)
				w.block(p, n)
				w.in(lasts, func() { w.unblock(n, p); w.unblock(p, n) })
			}
		}
	case "split":
		var left, right []*node
		for _, p := range live {
			if w.chance(0.5) {
				left = append(left, p)
			} else {
				right = append(right, p)
			}
		}
		w.fault(lasts, "the cluster is split for %v: %d on this side of %s", lasts, len(left), n.name)
		for _, p := range left {
			for _, q := range right {
				w.block(p, q)
				w.block(q, p)
				w.in(lasts, func() { w.unblock(p, q); w.unblock(q, p) })
			}
		}
	case "break":
		w.fault(0, "connections of %s and %s break", n.name, o.name)
		for _, c := range w.conns {
			if c.holder == n && c.grantor == o || c.holder == o && c.grantor == n {
				w.sever(c, w.chance(0.7))
			}
		}
	case "slow":
		w.fault(lasts, "frames are slow for %v", lasts)
		w.slowest = w.between(10*time.Millisecond, 2*time.Second)
		w.in(lasts, func() { w.slowest = 0 })
	case "twice":
		w.fault(lasts, "frames come twice for %v", lasts)
		w.dupes = true
		w.in(lasts, func() { w.dupes = false })
	case "jump":
		if n.frozen {
			return
		}
		d := w.between(time.Second/10, 30*time.Second)
		w.fault(0, "the clock of %s jumps by %v", n.name, d)
		n.offset += d
		for key := uint64(1); key <= uint64(len(n.engine.leashes)); key++ {
			n.engine.bite(key)
		}
		n.ticked = -1
		n.step(core.Tick{})
	case "mute":
		if n.mute {
			return
		}
		w.fault(lasts, "%s says nothing for %v", n.name, lasts)
		n.mute = true
		w.in(lasts, func() { n.mute = false })
	case "lie":
		for _, home := range live {
			if home != n {
				w.fault(0, "%s lies to %s", n.name, home.name)
				w.lie(n, home)
			}
		}
	case "drain":
		left := 0 // with cores, and not about to leave
		for _, p := range w.nodes {
			if p.alive && p.cores > 0 && !p.draining && p != n && p != w.nodes[0] {
				left++
			}
		}
		if !n.draining && left > 0 && n != w.nodes[0] && n.host == nil {
			n.draining = true
			w.fault(0, "%s drains", n.name)
			n.step(core.Drain{})
			for _, g := range n.guests() { // they go on by themselves
				g.step(core.Left{Peer: n.id})
				g.step(core.Resize{Cores: 1})
			}
		}
	}
}

// chain leaves each home one neighbour, until the end of all faults: whatever goes
// further is sub-granted.
func (w *world) chain() {
	w.fault(faultTime, "all but n1 are cut off from the homes")
	for _, home := range w.nodes[:min(2, len(w.nodes))] {
		for _, n := range w.nodes {
			if n == home || n == w.nodes[1] || home == w.nodes[1] || n.host != nil {
				continue
			}
			w.block(n, home)
			w.block(home, n)
			w.in(faultTime, func() { w.unblock(n, home); w.unblock(home, n) })
		}
	}
}

// lie makes n report ends and outcomes of what others run, with a warrant that it
// made up, and ends of attempts that it does not have of tasks that it has. Of what home rightly
// counts with it, also of a life before, no lie can be told from the truth.
func (w *world) lie(n, home *node) {
	c := w.talks(n, home)
	if c == nil {
		return
	}
	var lies core.Report
	tell := func(p core.Piece, outcome bool) {
		mine := core.Warrant{Span: p.Span, Holder: n.id}
		if outcome {
			lies.Outcomes = append(lies.Outcomes, core.Outcome{Piece: p, Warrant: mine})
		}
		lies.Ends = append(lies.Ends, core.End{Piece: p, Kind: core.EndReturned, Warrant: mine})
	}
	for _, f := range w.check.order {
		if f.home != home {
			continue
		}
		for i := range f.tasks {
			t := &f.tasks[i]
			for _, x := range t.now {
				switch {
				case x.n == n:
					p := x.Piece
					p.Attempt.N += 1 + w.rng.Uint32N(3)
					tell(p, false)
				case t.good == 0 && !n.core.Holding(home.id, x.Piece) && !home.core.Entrusted(n.id, x.Piece):
					tell(x.Piece, true)
				}
			}
		}
	}
	k := stream(true, true)
	frame := core.Frame{Inc: n.inc, Epoch: c.epoch, Data: true, Seq: c.seq[k] + 1 - c.lied[k], Msg: lies}
	w.send(n, core.Send{To: home.id, Up: true, Frame: frame})
	c.lied[k]++
}

// talks finds the open connection over which n holds from home.
func (w *world) talks(n, home *node) *conn {
	for k := len(w.conns) - 1; k >= 0; k-- {
		if c := w.conns[k]; !c.closed && c.holder == n && c.grantor == home && c.hlife == n.life {
			return c
		}
	}
	return nil
}
