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
	home   int // the member from which the job starts
	tasks  []time.Duration
	faults []fault
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
)

func (k kind) String() string {
	return [...]string{"killed", "frozen", "apart", "one way", "abandoned"}[k]
}

func (f fault) String() string {
	who := fmt.Sprint("n", f.a)
	if f.kind == apart || f.kind == oneWay {
		who += fmt.Sprint(" and n", f.b)
	}
	return fmt.Sprintf("%v %s at %v for %v", f.kind, who, f.at.Round(time.Millisecond), f.lasts.Round(time.Millisecond))
}

const members = 3

// maxFreeze is longer than a lease, and than what gossip takes to call a node failed.
const maxFreeze = 30 * time.Second

func newPlan(seed uint64) *plan {
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
	return p
}

func (p *plan) abandoned() bool {
	return slices.ContainsFunc(p.faults, func(f fault) bool { return f.kind == abandons })
}

func (p *plan) String() string {
	var faults []string
	for _, f := range p.faults {
		faults = append(faults, f.String())
	}
	return fmt.Sprintf("seed %d: %d tasks from n%d; %s", p.seed, len(p.tasks), p.home, strings.Join(faults, "; "))
}
