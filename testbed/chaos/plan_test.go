//go:build linux

package chaos

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// A plan is what a round does, made from its seed alone.
type plan struct {
	seed   uint64
	home   int // the member from which the commands start
	tasks  []time.Duration
	faults []fault

	caller   int // the member that calls functions
	calls    []time.Duration
	oneByOne bool
	cut      bool // home and caller do not reach each other at first: what one gets of the other's comes through the third
}

// A fault begins some time after the job.
type fault struct {
	at, lasts time.Duration
	kind      kind
	a, b      int // members
}

type kind int

const (
	killed   kind = iota // -9, and started again
	frozen               // SIGSTOP, SIGCONT
	apart                // a and b do not reach each other
	oneWay               // a does not hear b
	abandons             // filch run itself is killed; nothing is left of the job
	kinds
	middle = kinds     // a is killed as soon as it has granted tasks that it holds itself, and started again
	atWork = kinds + 1 // a is killed as soon as it runs a long task, and started again
)

func (k kind) String() string {
	return [...]string{"killed", "frozen", "apart", "one way", "abandoned", "killed in the middle", "killed at work"}[k]
}

func (f fault) String() string {
	who := fmt.Sprint("n", f.a)
	if f.kind == apart || f.kind == oneWay {
		who += fmt.Sprint(" and n", f.b)
	}
	return fmt.Sprintf("%v %s at %v for %v", f.kind, who, f.at.Round(time.Millisecond), f.lasts.Round(time.Millisecond))
}

const members = 3

// A round in which a peer is killed at work begins with some tasks that take longer than lapse, so that they do not
// end by themselves in time.
const (
	longTasks = 6
	longTask  = lapse + 4*time.Second
)

// maxFreeze is longer than a lease, and than what gossip takes to call a node failed.
const maxFreeze = 30 * time.Second

// newPlan makes a plan for commands, or for commands and functions at the same time.
func newPlan(seed uint64, functions bool) *plan {
	rng := rand.New(rand.NewPCG(seed, 0))
	between := func(lo, hi time.Duration) time.Duration { return lo + time.Duration(rng.Int64N(int64(hi-lo))) }
	p := &plan{seed: seed, home: rng.IntN(members)}
	for range 40 + rng.IntN(60) {
		p.tasks = append(p.tasks, between(10*time.Millisecond, 400*time.Millisecond))
	}
	busy := make(map[int]bool) // members with a fault of their own: one is enough
	for range 1 + rng.IntN(3) {
		f := fault{kind: kind(rng.IntN(int(kinds))), a: rng.IntN(members), at: between(0, 3*time.Second), lasts: between(0, 8*time.Second)}
		f.b = (f.a + 1 + rng.IntN(members-1)) % members
		switch f.kind {
		case killed, frozen:
			if busy[f.a] {
				continue
			}
			busy[f.a] = true
			if f.kind == frozen && rng.IntN(2) == 0 {
				f.lasts = between(10*time.Second, maxFreeze)
			}
		case apart, oneWay:
			f.lasts = between(time.Second, 20*time.Second)
		case abandons:
			if rng.IntN(2) == 0 || slices.ContainsFunc(p.faults, func(o fault) bool { return o.kind == abandons }) {
				continue
			}
		}
		p.faults = append(p.faults, f)
	}
	p.caller = (p.home + 1 + rng.IntN(members-1)) % members
	third := members - p.home - p.caller
	if functions {
		p.oneByOne = rng.IntN(2) == 0
		for range 100 + rng.IntN(200) {
			p.calls = append(p.calls, between(0, 150*time.Millisecond))
		}
	}
	f := fault{kind: middle, at: between(0, time.Second), lasts: between(0, 5*time.Second), a: p.home}
	switch rng.IntN(4) {
	case 0: // whom the run is a guest of
	case 1: // who lends one member's tasks to the other; without functions nobody has to
		f.a = third
		if p.cut = functions; !functions {
			f.kind = atWork
			for i := range longTasks {
				p.tasks[i] = longTask
			}
		}
	default:
		return p
	}
	p.faults = append(slices.DeleteFunc(p.faults, func(o fault) bool { return o.a == f.a && (o.kind == killed || o.kind == frozen) }), f)
	return p
}

func (p *plan) String() string {
	var faults []string
	if p.cut {
		faults = append(faults, fmt.Sprintf("apart n%d and n%d until the end", p.home, p.caller))
	}
	for _, f := range p.faults {
		faults = append(faults, f.String())
	}
	calls := ""
	if len(p.calls) > 0 {
		calls = fmt.Sprintf(" and %d calls from n%d (one by one: %v)", len(p.calls), p.caller, p.oneByOne)
	}
	return fmt.Sprintf("seed %d: %d commands from n%d%s; %s", p.seed, len(p.tasks), p.home, calls, strings.Join(faults, "; "))
}
