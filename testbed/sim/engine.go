package sim

import (
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal/core"
)

// A batch is what the tasks of a job are like.
type batch struct {
	job     core.JobID
	home    *node
	terms   core.Terms
	n       uint64
	natures []nature
	hedged  bool
}

// A nature is what one task does when it runs.
type nature struct {
	takes  time.Duration
	fails  int    // so many times, then it succeeds; negative: always
	poison bool   // kills any node but its home, at its start
	smells string // the name of a node at which it cannot run
}

// An execution is a piece that runs on a node.
type execution struct {
	core.Run
	n       *node
	over    bool
	halting bool
	waits   bool // it has ended, in the time of a node that is frozen
	paused  bool
	idle    bool // leaves its cores to nobody
	takes   time.Duration
	since   time.Duration // in the world's time
}

// An engine is the cores of one life of a node.
type engine struct {
	node    *node
	runs    []*execution
	lent    []core.Piece // to guests
	leashes map[uint64]time.Duration
}

func (e *engine) run(r core.Run) {
	n, w := e.node, e.node.w
	w.check.crowded(n, &r)
	for _, g := range n.guests() {
		if g.id == r.Piece.Job.Home {
			e.lend(r, g)
			return
		}
	}
	x := &execution{Run: r, n: n, since: w.now}
	e.runs = append(e.runs, x)
	b := w.tasks[r.Piece.Job]
	if b == nil {
		w.check.breaks("known: %s runs %v, which nobody submitted", n.name, r.Piece)
		return
	}
	w.check.starts(x, b)
	w.logf("%s starts %v", n.name, r.Piece)
	var takes time.Duration
	for i := r.Piece.Lo; i < r.Piece.Hi; i++ {
		takes += b.natures[i].takes
		if b.natures[i].poison && b.home.id != n.id {
			w.logf("%v is poison for %s", r.Piece, n.name)
			w.in(w.between(0, 10*time.Millisecond), func() { n.crashed(x) })
		}
	}
	x.takes = time.Duration(float64(takes) * n.slow)
	w.in(x.takes, func() { e.end(x, b) })
}

// end is the natural end of a run.
func (e *engine) end(x *execution, b *batch) {
	n := e.node
	if x.over || x.paused {
		return
	}
	if n.frozen && x.Terms.Kind == task.KindFunc { // it was frozen, too; thaw goes on with it
		x.waits = true
		return
	}
	x.busyAgain()
	e.drop(x)
	n.w.check.ended(x, b, true)
	ev := core.Finished{Piece: x.Piece, State: task.Done, Ran: x.takes}
	for i := x.Piece.Lo; i < x.Piece.Hi; i++ {
		nat := &b.natures[i]
		switch {
		case nat.smells == n.name:
			ev.Exceptions = append(ev.Exceptions, core.Exception{Index: i, State: task.Failed, Exit: 127, Smell: true, Reason: "not found"})
		case nat.fails != 0:
			nat.fails--
			n.w.check.failedOnce(x.Piece.Job, i)
			ev.Exceptions = append(ev.Exceptions, core.Exception{Index: i, State: task.Failed, Exit: 1, Reason: "exit 1"})
		default:
			n.w.check.succeededOnce(x.Piece.Job, i)
		}
	}
	n.endedByHome(x.Piece, x.takes)
	n.step(ev)
}

func (e *engine) drop(x *execution) {
	x.over = true
	for k, o := range e.runs {
		if o == x {
			e.runs = append(e.runs[:k:k], e.runs[k+1:]...)
			return
		}
	}
}

// kill ends a run without an outcome.
func (e *engine) kill(x *execution) {
	if x.over {
		return
	}
	x.busyAgain()
	if x.over {
		return
	}
	e.drop(x)
	e.node.w.check.ended(x, e.node.w.tasks[x.Piece.Job], false)
	e.node.endedByHome(x.Piece, 0)
	e.node.step(core.Finished{Piece: x.Piece, State: task.Cancelled})
}

// halt stops a run soon. A third of the functions do not listen.
func (e *engine) halt(p core.Piece) {
	w := e.node.w
	for _, g := range e.node.guests() {
		if g.id == p.Job.Home && !g.frozen {
			g.engine.halt(p)
		}
	}
	for _, x := range e.runs {
		if x.Piece != p || x.halting || x.Terms.Kind == task.KindFunc && w.chance(0.3) {
			continue
		}
		x.halting = true
		life := e.node.life
		w.in(w.between(0, 50*time.Millisecond), func() {
			if e.node.life == life && !(e.node.frozen && x.Terms.Kind == task.KindFunc) {
				e.kill(x)
			} else if e.node.life == life {
				x.halting = false
			}
		})
	}
}

// leash moves a deadline and sets the supervisor's timer.
func (e *engine) leash(l core.Leash) {
	e.leashes[l.Key] = l.Until
	e.watch(l.Key, l.Until)
}

func (e *engine) watch(key uint64, until time.Duration) {
	n, life := e.node, e.node.life
	n.w.in(n.until(until), func() {
		if n.life == life && !n.suspended {
			e.bite(key)
		}
	})
}

// bite kills what runs under a deadline that has passed.
func (e *engine) bite(key uint64) {
	if until := e.leashes[key]; e.node.clock() < until {
		e.watch(key, until) // its clock jumped, or it was moved
		return
	}
	for _, x := range append([]*execution(nil), e.runs...) {
		if x.Leash == key {
			e.node.w.logf("%s: the supervisor kills %v", e.node.name, x.Piece)
			e.kill(x)
		}
	}
}

// suspend stops everything on the machine; resume lets the supervisor look first.
func (e *engine) suspend() {
	for _, x := range e.runs {
		x.paused = true
	}
}

func (e *engine) resume() {
	for key := uint64(1); key <= uint64(len(e.leashes)); key++ {
		e.bite(key)
	}
	for _, x := range e.runs {
		x.paused, x.waits = false, true
	}
}

// thawed lets those runs go on that stood still.
func (e *engine) thawed() {
	for _, x := range e.runs {
		if x.waits {
			x.waits = false
			x := x
			e.node.w.in(e.node.w.between(0, time.Second), func() { e.end(x, e.node.w.tasks[x.Piece.Job]) })
		}
	}
}
