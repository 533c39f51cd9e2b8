package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal/core"
)

const (
	faultTime = 40 * time.Second // in which faults and submissions happen
	giveUp    = 20 * time.Second // how long work outlives a silent home, instead of ten minutes
	leaseTime = 3 * core.LeaseTTL
	longest   = 125 * time.Second // a task of 25 s on the slowest node
)

// allKinds are the faults of which a seed chooses some.
var allKinds = []string{
	"crash", "crash", "restart", "restart", "restart", "freeze", "suspend", "coma", "cut", "half-cut", "split", "isolate", "exile",
	"break", "break", "slow", "twice", "jump", "jump", "mute", "lie", "drain",
}

// themes are worlds of one kind of trouble, and much of it.
var themes = map[string][]string{
	"freezes":  {"freeze", "suspend", "coma", "freeze", "jump"},
	"restarts": {"restart", "crash", "restart", "break"},
	"cuts":     {"cut", "half-cut", "split", "split", "isolate", "exile", "break"},
	"frames":   {"break", "slow", "twice", "break", "half-cut"},
	"lies":     {"lie", "lie", "mute", "twice"},
	"chains":   {"chain", "cut", "isolate", "break", "suspend", "freeze", "isolate"},
}

// newWorld makes the cluster of a seed, with any trouble or that of a theme.
func newWorld(seed uint64, trace bool, theme ...string) *world {
	w := &world{seed: seed, rng: rand.New(rand.NewPCG(seed, 0x51)), extra: rand.New(rand.NewPCG(seed, 0x53)), tasks: make(map[core.JobID]*batch), blocked: make(map[[2]string]int), keep: trace}
	w.narrow = seed%5 == 0 && len(theme) == 0
	w.check = checker{w: w, jobs: make(map[core.JobID]*fate), proofs: make(map[proofKey]bool)}
	for k := range 2 + w.rng.IntN(5) {
		n := &node{w: w, name: fmt.Sprintf("n%d", k), id: core.PeerID(fmt.Sprintf("n%d", k)), cores: 1 + w.rng.IntN(3), slow: 1,
			rate: 1 + (w.rng.Float64()-0.5)*0.04, offset: w.between(0, time.Hour), loose: w.chance(0.5)}
		if w.chance(0.5) {
			n.disk = &disk{}
		}
		if w.chance(0.3) {
			n.labels = []string{"gpu"}
		}
		if w.chance(0.2) {
			n.slow = 1 + 4*w.rng.Float64()
		}
		if k > 0 && w.chance(0.1) {
			n.liar = true
		}
		w.nodes = append(w.nodes, n)
	}
	if w.chance(0.4) {
		w.far = w.between(time.Millisecond, 300*time.Millisecond)
	}
	if w.chance(0.2) {
		w.nodes[0].cores, w.nodes[0].labels = 0, nil // lends nothing of its own: everything must be stolen
	}
	for _, n := range w.nodes {
		n.hasDir = w.chance(0.6)
		if w.nodes[0].cores > 0 {
			n.onlyFuncs = w.chance(0.15)
			if w.chance(0.1) {
				n.funcs = []string{"f1", "f2", "f3"}
			}
		}
	}
	if host := w.nodes[w.rng.IntN(len(w.nodes))]; w.chance(0.4) && host.cores > 0 {
		w.addGuest(host, 0)
	}
	for _, n := range w.nodes {
		n.boot()
	}
	for _, n := range w.nodes {
		n.visit()
	}
	w.plan(theme)
	return w
}

// plan draws what is submitted, cancelled, recalled and broken, and when.
func (w *world) plan(kinds []string) {
	themed := len(kinds) > 0
	homes := 1 + w.rng.IntN(2)
	for k := range 2 + w.rng.IntN(4) {
		home := w.nodes[w.rng.IntN(min(homes, len(w.nodes)))]
		if last := w.nodes[len(w.nodes)-1]; last.host != nil && w.chance(0.5) {
			home = last
		}
		ref := uint64(k + 1)
		w.in(w.between(0, faultTime*3/4), func() { w.submit(home, ref) })
	}
	n := 1 + w.rng.IntN(9)
	if len(kinds) == 0 {
		for range 1 + w.rng.IntN(3) {
			kinds = append(kinds, allKinds[w.rng.IntN(len(allKinds))])
		}
	} else {
		n += 6
	}
	if kinds[0] == "chain" {
		kinds = kinds[1:]
		w.in(0, w.chain)
	}
	if w.chance(0.1) {
		n = 0
	}
	for range n {
		w.in(w.between(time.Second/2, faultTime), func() { w.inject(kinds) })
	}
	for range w.rng.IntN(8) {
		w.in(w.between(time.Second, faultTime), w.meddle)
	}
	w.in(time.Second, w.sweeping)
	w.more(themed)
}

func (w *world) sweeping() { w.sweep(); w.in(time.Second, w.sweeping) }

// submit makes a job whose tasks are of all kinds.
func (w *world) submit(home *node, ref uint64) {
	if !home.alive || home.draining {
		return
	}
	b := &batch{home: home}
	b.terms = core.Terms{Name: fmt.Sprintf("f%d", ref), Kind: task.KindFunc, Retries: uint8(w.rng.IntN(3)), Durable: home.disk != nil && w.chance(0.6)}
	if w.chance(0.5) {
		b.terms.Kind = task.KindProc
		b.terms.Idempotent = w.chance(0.2)
		b.terms.Keep = w.chance(0.1)
	}
	mean := math.Exp(w.rng.Float64()*4.4 - 3) // 50 ms to 4 s
	poison := w.chance(0.15)
	n := 1 + w.rng.IntN(40)
	if w.chance(0.2) { // longer than leases
		n, mean = 1+w.rng.IntN(5), 12
	}
	if w.chance(0.1) && slices.Contains(home.labels, "gpu") {
		b.terms.Where.Require = []string{"gpu"}
	}
	if w.chance(0.1) {
		b.terms.Needs.Cores = 2
	}
	b.terms.Needs.Memory = w.needs(ref)
	b.terms.Nice = int8(w.rng.IntN(40) - 20)
	w.restrict(home, &b.terms)
	b.terms.Child = w.lends && w.extra.IntN(4) == 0
	for range n {
		nat := nature{takes: time.Duration(mean * math.Exp(w.rng.NormFloat64()*0.7) * float64(time.Second))}
		nat.takes = min(nat.takes, 25*time.Second)
		switch {
		case w.chance(0.05):
			nat.fails = 1 + w.rng.IntN(3)
		case w.chance(0.03):
			nat.smells = w.nodes[w.rng.IntN(len(w.nodes))].name
			nat.takes = min(nat.takes, 50*time.Millisecond) // what cannot run fails soon
		case poison && w.chance(0.1):
			nat.poison = true
		}
		b.natures = append(b.natures, nat)
	}
	w.tasks[core.JobID{Seq: ref}] = b
	w.logf("%s submits job %d: %d tasks %+v", home.name, ref, len(b.natures), b.terms)
	home.step(core.Submit{Ref: ref, Terms: b.terms, N: uint64(len(b.natures))})
}

// meddle cancels, recalls or hedges something.
func (w *world) meddle() {
	if len(w.check.order) == 0 {
		return
	}
	f := w.check.order[w.rng.IntN(len(w.check.order))]
	if !f.home.alive || f.lost() {
		return
	}
	switch w.rng.IntN(8) {
	case 0, 1:
		w.logf("%v is cancelled", f.id)
		f.home.step(core.CancelJob{Job: f.id})
	case 2:
		f.home.step(core.Forget{Job: f.id})
	case 3:
		if b := w.tasks[f.id]; !f.accepted && !b.terms.Durable && f.home.core.Knows(f.id) && !f.home.frozen {
			f.done = false
			for range 3 {
				b.natures = append(b.natures, nature{takes: time.Second})
				f.grow()
			}
			f.home.step(core.Extend{Job: f.id, N: 3})
		}
	case 7:
		w.pause(f)
	case 4:
		f.home.step(core.RecallJob{Job: f.id, Span: core.Span{Lo: 0, Hi: uint64(len(f.tasks))}})
	default:
		w.tasks[f.id].hedged = true
		for range 10 {
			p := w.nodes[w.rng.IntN(len(w.nodes))]
			f.home.step(core.HedgeTask{Job: f.id, Index: w.rng.Uint64N(uint64(len(f.tasks))), Peer: p.id})
		}
	}
}

// pause holds a job back for some seconds.
func (w *world) pause(f *fate) {
	if f.paused || f.home.frozen {
		return
	}
	life := f.home.life
	f.home.step(core.PauseJob{Job: f.id, On: true})
	f.paused = true
	w.in(w.between(0, 8*time.Second), func() {
		f.paused = false
		if f.home.life == life {
			f.home.step(core.PauseJob{Job: f.id})
		}
	})
}

// play runs a seed to its end and returns the promise that was broken, if any.
func (w *world) play() string {
	w.run(faultTime, func() bool { return false })
	for w.check.broken == "" { // faults that began late end later; poison makes new ones
		last := w.lastFault
		w.run(max(w.now, last), func() bool { return false })
		if w.lastFault <= w.now {
			break
		}
	}
	done := func() bool { _, _, any := w.check.unfinished(); return !any && w.now > w.lastFault }
	for w.check.broken == "" && !done() {
		bound := w.calmSince() + w.allowance()
		w.run(bound, done)
		if w.now >= w.calmSince()+w.allowance() {
			break
		}
	}
	if f, i, any := w.check.unfinished(); any {
		w.check.blame(f, i, "ends: task %d of %v has no outcome %v after the last fault", i, f.id, w.now-w.lastFault)
	}
	w.drainOut()
	for _, f := range w.check.order {
		if f.accepted && !f.lost() && !f.stopped && w.faults == 0 {
			w.run(w.now+longest, func() bool { return f.stopped })
		}
		if f.accepted && !f.lost() && !f.stopped && w.faults == 0 {
			w.check.blame(f, 0, "stopped: %v was cancelled in a calm world, and is not stopped", f.id)
		}
	}
	return w.check.broken
}

// drainOut waits until nobody holds anything for anybody: duplicates that run to
// their end, work whose home is gone.
func (w *world) drainOut() {
	var who *node
	for end := w.now + giveUp + 2*core.LeaseTTL + longest; w.now < end && w.check.broken == ""; {
		w.run(w.now+time.Second, func() bool { return false })
		who = nil
		for _, n := range w.nodes {
			if n.alive && n.core.Held() > 0 {
				who = n
			}
		}
		if who == nil {
			return
		}
	}
	if who != nil {
		w.check.breaks("clean: %s still holds %d tasks for others", who.name, who.core.Held())
	}
}

// troubleEnds is when the last fault was over, or could have been.
func (w *world) troubleEnds() time.Duration { return max(w.lastFault, faultTime) }

// calmSince is from when on the cores are there for what has no outcome: after the last fault, and
// when functions have ended whose outcomes nobody wants any more, which nobody can stop.
func (w *world) calmSince() time.Duration {
	for _, n := range w.nodes {
		for _, x := range n.engine.runs {
			if w.forNothing(x) {
				return w.now
			}
		}
	}
	return max(w.troubleEnds(), w.freed)
}

// forNothing tells whether a run began in times of trouble and has an outcome already, or a job that is lost.
func (w *world) forNothing(x *execution) bool {
	f := w.check.fate(x.Piece.Job)
	if x.since >= w.troubleEnds() {
		return false
	}
	for i := x.Piece.Lo; i < x.Piece.Hi && !f.lost(); i++ {
		if f.tasks[i].committed == 0 {
			return false
		}
	}
	return true
}

// allowance is 3 leases + work/capacity, after the last fault: capacity is one
// core, since all others may be too slow, draining, or run something else; the
// small change is for back-offs of those who ask.
func (w *world) allowance() time.Duration {
	var work time.Duration
	for _, f := range w.check.order {
		if f.lost() {
			continue
		}
		for i, nat := range w.tasks[f.id].natures {
			slowest := 5.0
			if f.tasks[i].committed == 0 || w.now < w.lastFault {
				work += time.Duration(float64(nat.takes) * slowest * float64(1+max(0, nat.fails)))
			}
		}
	}
	return leaseTime + work + 5*time.Second
}
