package stepper

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
)

// search is the tree of choices: the path from its root to where the current
// run is, with what is left to try on the way.
type search struct {
	path  []place
	now   int // length of the part of path that the current run has gone
	fresh int // from here on the steps differ from the run before
	rng   *rand.Rand
	fixed []int // the schedule, if one is given
}

// A place is a state of the program and the step that was chosen there.
type place struct {
	// The choice.
	able   threads // could take a step
	asleep threads // need not be tried: what follows was met elsewhere
	wanted threads // must be tried
	tried  threads // have been, before the one that is being tried
	chosen int

	// The step.
	kind   kind
	on     *variable
	before uint64 // the value before the step
	prior  int    // number of the last step before on the variable, from 1
	seen   clock  // the steps that it depends on, and itself
}

// plan prepares the search.
func (x *explorer) plan() (err error) {
	o := &x.options
	if o.Sample > 0 {
		x.rng = rand.New(rand.NewPCG(o.Seed, 0))
	}
	if o.Schedule != "" {
		x.fixed, err = parseSchedule(o.Schedule)
		x.tracing = true
	}
	return err
}

// again prepares the next run and reports whether there is one.
func (x *explorer) again() bool {
	switch {
	case x.fixed != nil:
		return false
	case x.rng != nil:
		x.path = x.path[:0]
		return x.stats.Runs < int64(x.options.Sample)
	}
	for i := len(x.path) - 1; i >= 0; i-- {
		p := &x.path[i]
		p.tried |= only(p.chosen)
		if left := p.wanted &^ p.tried &^ p.asleep; left != 0 {
			p.chosen = bits.TrailingZeros8(uint8(left))
			x.path = x.path[:i+1]
			x.fresh = i
			return true
		}
	}
	return false
}

// choose says who takes the next step, and takes note of it. It returns nil
// when the run is over.
func (x *explorer) choose() *thread {
	if x.failure != "" {
		x.finished = true
		return nil
	}
	able := x.able()
	switch {
	case able == 0:
		x.atEnd()
		return nil
	case x.now == x.options.MaxSteps:
		x.finished = true
		x.fail(fmt.Sprintf("livelock: the run has not ended after %d steps", x.now))
		return nil
	case x.now == len(x.path):
		if !x.extend(able) {
			return nil
		}
	}
	p := &x.path[x.now]
	if p.able != able {
		panic(fmt.Sprintf("stepper: the program is not deterministic: at step %d threads %b could go on, now %b can", x.now, p.able, able))
	}
	t := x.threads[p.chosen]
	x.take(t, p)
	return t
}

// able returns the threads that can take a step.
func (x *explorer) able() (able threads) {
	for _, t := range x.threads {
		if !t.over && t.next.possible(t.next.on.value) {
			able |= only(t.id)
		}
	}
	return able
}

// extend adds a place to the path, unless all that could go on from there
// sleep.
func (x *explorer) extend(able threads) bool {
	p := place{able: able}
	last := -1
	if x.now > 0 {
		before := &x.path[x.now-1]
		last = before.chosen
		p.asleep = x.stillAsleep(before)
	}
	awake := able &^ p.asleep
	switch {
	case x.fixed != nil:
		return x.follow(p)
	case x.rng != nil:
		p.chosen = x.randomOf(able)
	case awake == 0:
		return false
	case last >= 0 && awake.has(last):
		p.chosen = last // saves the switch to another coroutine
	default:
		p.chosen = bits.TrailingZeros8(uint8(awake))
	}
	p.wanted = only(p.chosen)
	if x.options.Full {
		p.wanted = able
	}
	x.path = append(x.path, p)
	return true
}

func (x *explorer) randomOf(s threads) int {
	for skip := x.rng.IntN(bits.OnesCount8(uint8(s))); skip > 0; skip-- {
		s &= s - 1
	}
	return bits.TrailingZeros8(uint8(s))
}

// follow adds the place that the given schedule says.
func (x *explorer) follow(p place) bool {
	i := len(x.path)
	if i >= len(x.fixed) || x.fixed[i] >= MaxThreads || !p.able.has(x.fixed[i]) {
		x.fail(fmt.Sprintf("the schedule does not fit the program from step %d on", i+1))
		x.finished = true
		return false
	}
	p.chosen = x.fixed[i]
	x.path = append(x.path, p)
	return true
}

// stillAsleep returns who sleeps after the step of p: who slept there or has
// been tried, and does not conflict with it.
func (x *explorer) stillAsleep(p *place) (asleep threads) {
	if x.options.Full || x.rng != nil {
		return 0
	}
	step := operation{kind: p.kind, on: p.on}
	for s := p.asleep | p.tried; s != 0; s &= s - 1 {
		id := bits.TrailingZeros8(uint8(s))
		if !x.threads[id].next.conflictsWith(&step) {
			asleep |= only(id)
		}
	}
	return asleep
}

// take notes that t takes its next step at p.
func (x *explorer) take(t *thread, p *place) {
	o := &t.next
	if x.now >= x.fresh {
		x.races(t)
	}
	p.kind, p.on, p.before, p.prior = o.kind, o.on, o.on.value, o.on.last
	x.now++
	o.on.last = x.now
	x.depends(t, p)
	t.sync[t.id]++
}

// atEnd is called when no thread can take a step.
func (x *explorer) atEnd() {
	x.finished = true
	var stuck []string
	for _, t := range x.threads {
		if t.over {
			continue
		}
		x.races(t)
		if !t.daemon {
			stuck = append(stuck, fmt.Sprintf("%s waits to %s", t.name, x.describe(&t.next)))
		}
	}
	if stuck != nil {
		x.fail(deadlock(stuck))
	}
}
