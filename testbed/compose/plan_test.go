package compose

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// The containers.
const (
	racks, perRack = 2, 2
	members        = racks * perRack
)

// A plan is what a round does, made from its seed alone.
type plan struct {
	seed   uint64
	tasks  []time.Duration
	calls  []time.Duration
	faults []fault
}

// A fault begins some time after the jobs and ends some time later. No two of a round are of one member.
type fault struct {
	kind      kind
	member    int
	at, lasts time.Duration
}

type kind int

const (
	killed   kind = iota // and started again: the machine with its disk
	renewed              // killed, and made anew: a machine with a new disk
	paused               // stands still
	inRack               // cut off from the backbone
	alone                // cut off from both networks
	restarts             // leaves, and comes back
	kinds
)

func (k kind) String() string {
	return [...]string{"killed", "killed and renewed", "paused", "cut off from other racks", "cut off from all", "restarted"}[k]
}

func newPlan(seed uint64) *plan {
	rng := rand.New(rand.NewPCG(seed, 0))
	between := func(lo, hi time.Duration) time.Duration { return lo + time.Duration(rng.Int64N(int64(hi-lo))) }
	p := &plan{seed: seed}
	for range 60 + rng.IntN(40) {
		p.tasks = append(p.tasks, between(50*time.Millisecond, 500*time.Millisecond))
	}
	for i := range members { // long ones are under way when something happens
		p.tasks[i] = between(2*time.Second, 8*time.Second)
	}
	for range 100 + rng.IntN(100) {
		p.calls = append(p.calls, between(0, 300*time.Millisecond))
	}
	for _, m := range rng.Perm(members)[:1+rng.IntN(2)] {
		f := fault{kind: kind(rng.IntN(int(kinds))), member: m, at: between(300*time.Millisecond, 3*time.Second), lasts: between(time.Second, 9*time.Second)}
		switch f.kind {
		case killed, renewed, restarts:
			f.member = max(m, 1) // the first is whose tasks these are
			if len(p.faults) > 0 && p.faults[0].member == f.member {
				continue
			}
		default:
			if rng.IntN(2) == 0 {
				f.lasts = between(11*time.Second, 18*time.Second) // longer than a lease
			}
		}
		p.faults = append(p.faults, f)
	}
	return p
}

func (p *plan) String() string {
	var faults []string
	for _, f := range p.faults {
		faults = append(faults, fmt.Sprintf("%v %s at %.1f s for %.1f s", f.kind, name(f.member), f.at.Seconds(), f.lasts.Seconds()))
	}
	return fmt.Sprintf("seed %d: %d commands and %d calls; %s", p.seed, len(p.tasks), len(p.calls), strings.Join(faults, "; "))
}

func name(member int) string { return fmt.Sprintf("r%dn%d", member/perRack+1, member%perRack+1) }
