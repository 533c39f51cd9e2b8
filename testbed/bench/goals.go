package main

import (
	"fmt"
	"time"
)

// A goal is something to reach, and how far filch got. It informs; it never
// fails a run.
type goal struct {
	text  string
	got   ratio
	want  float64
	under bool // reached by staying below want, not by getting to it
}

func (g goal) met() bool {
	if g.under {
		return g.got.value < g.want
	}
	return g.got.value >= g.want
}

func (g goal) String() string {
	verdict, relation := "MISSED", "≥"
	if g.met() {
		verdict = "met"
	}
	if g.under {
		return fmt.Sprintf("%-6s %s: %.6f (goal: < %v)", verdict, g.text, g.got.value, g.want)
	}
	return fmt.Sprintf("%-6s %s: %.2f, single rounds %.2f..%.2f (goal: %s %v)",
		verdict, g.text, g.got.value, g.got.min, g.got.max, relation, g.want)
}

// fasterThan is the goal to be want times faster than the fastest of the named
// contenders; ok is false if filch or all of them did not run.
func (s standing) fasterThan(what string, want float64, names ...string) (g goal, ok bool) {
	ours, ok := s.ours()
	if !ok {
		return goal{}, false
	}
	best, found := s.fastest(func(c contender) bool {
		for _, name := range names {
			if c.name == name {
				return true
			}
		}
		return false
	})
	if !found {
		return goal{}, false
	}
	text := fmt.Sprintf("%s against %s (%s), times faster", ours.contender.name, what, best.contender.name)
	return goal{text: text, got: timesFaster(best, ours), want: want}, true
}

// fastest returns the score with the least median among contenders that are
// wanted.
func (s standing) fastest(wanted func(contender) bool) (best score, found bool) {
	var least time.Duration
	for _, sc := range s.scores {
		if len(sc.rounds) == 0 || !wanted(sc.contender) {
			continue
		}
		if took := median(sc.took()); !found || took < least {
			best, least, found = sc, took, true
		}
	}
	return best, found
}

// goalList collects the goals that can be judged.
type goalList []goal

func (l *goalList) add(g goal, ok bool) {
	if ok {
		*l = append(*l, g)
	}
}
