//go:build !nofilch

package main

import (
	"context"
	"fmt"

	"github.com/filchsched/filch/exec"
)

// What filch's paths allocate: each is given allocTasks tasks on an engine that has
// never run any, so that free lists that fill up are in the count, as are the
// job, the bag and everything else the process does meanwhile.

const (
	allocTasks = 1_000_000

	// goalAllocs is the allocations per task to stay below: the issue's.
	goalAllocs = 0.001
)

func allocsContest(set settings) contest {
	args := arguments(allocTasks)
	spawn := contender{
		name:   "Fn.Spawn, Child.Join",
		filch:  true,
		config: "a binary tree of spawns, each joined",
		run:    func(ctx context.Context, c *clock) error { return spawnTree(ctx, c, set) },
	}
	return contest{
		key:        "allocs",
		title:      fmt.Sprintf("what filch allocates over the first %d tasks of an engine, %d workers", allocTasks, set.Workers),
		unit:       "task",
		operations: allocTasks,
		contenders: []contender{
			spawn,
			named("Bag.Submit", filchSubmit(set)).entering(args),
			named("Bag.SubmitSlice", filchSlice(set)).entering(args),
			named("SubmitRange", filchRange(set)).entering(args),
		},
		goals: allocGoals,
	}
}

func named(name string, p pool) pool {
	p.name = name
	return p
}

// allocGoals judges each path by its worst round.
func allocGoals(s standing) []goal {
	var goals []goal
	for _, sc := range s.scores {
		var worst float64
		for _, r := range sc.rounds {
			worst = max(worst, float64(r.Mallocs)/allocTasks)
		}
		if len(sc.rounds) > 0 {
			text := sc.contender.name + ", allocations per task in the worst round"
			goals = append(goals, goal{text: text, got: ratio{value: worst}, want: goalAllocs, under: true})
		}
	}
	return goals
}

// treeFn is set in init because its body refers to it.
var treeFn *exec.Fn[int, int]

func init() { treeFn = exec.Define(growTree) }

// growTree spawns exactly n tasks below itself and returns how many ran.
func growTree(c *exec.Ctx, n int) int {
	if n == 0 {
		return 0
	}
	left := treeFn.Spawn(c, (n-1)/2)
	right := growTree(c, n-1-(n-1)/2)
	return 1 + left.Join(c) + right
}

func spawnTree(ctx context.Context, c *clock, set settings) error {
	return onEngine(set, func(j *exec.Job) error {
		var got int
		var err error
		c.time(func() { got, err = treeFn.Call(ctx, j, allocTasks) })
		if err == nil && got != allocTasks {
			err = wrong("%d of %d spawned tasks ran", got, allocTasks)
		}
		return err
	})
}
