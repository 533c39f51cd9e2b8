package main

import (
	"context"
	"fmt"

	"github.com/filchsched/filch/testbed/uts"
)

// Tree search: an unbalanced tree on all workers. What limits a perfect scheduler
// is not half of the sequential time but what the machine can do with all its
// cores busy: shared caches, clock rates and neighbours take their part. So the
// ceiling is measured: as many sequential processes as there are workers, at
// once, each searching the whole tree. They search `workers` trees in the time of the
// slowest; a perfect scheduler would need time/workers for one.
//
//	efficiency = (time of the processes side by side / workers) / (time of filch)

// ceilingName is the contender that goals refer to.
const ceilingName = "sequential processes at once"

// goalUTS is the part of the ceiling to reach: the issue's.
const goalUTS = 0.95

func utsContest(set settings) (contest, error) {
	tree, err := uts.Parse(set.Tree)
	if err != nil {
		return contest{}, err
	}
	want := set.Count
	return contest{
		key:        "uts",
		title:      fmt.Sprintf("UTS %s (%v): %d nodes, %d leaves, depth %d, %d workers", set.Tree, tree.Params(), want.Nodes, want.Leaves, want.Depth, set.Workers),
		unit:       "node",
		operations: int(want.Nodes),
		contenders: []contender{
			filchUTS(set, tree, want),
			sequentialUTS(tree, want),
			ceilingUTS(set, want),
		},
		goals: func(s standing) []goal { return utsGoals(s, set.Workers) },
	}, nil
}

// countTree finds out what every search must find: what was published with the
// tree, or else what a sequential search finds.
func countTree(flags string) (uts.Count, error) {
	if known, ok := uts.Published(flags); ok {
		return known.Count, nil
	}
	tree, err := uts.Parse(flags)
	if err != nil {
		return uts.Count{}, err
	}
	return tree.Search(), nil
}

func utsGoals(s standing, workers int) []goal {
	ours, ok := s.ours()
	ceiling, found := s.score(ceilingName)
	if !ok || !found {
		return nil
	}
	text := fmt.Sprintf("%s against the ceiling, (%d processes at once / %d) / filch", ours.contender.name, workers, workers)
	return []goal{{text: text, got: timesFaster(ceiling, ours).scaled(1 / float64(workers)), want: goalUTS}}
}

func checkCount(got, want uts.Count) error {
	if got != want {
		return wrong("the search found %+v, want %+v", got, want)
	}
	return nil
}

func sequentialUTS(tree *uts.Tree, want uts.Count) contender {
	return contender{
		name:   sequentialName,
		config: "depth first in one goroutine; the node code is the one that filch's tasks call",
		run: func(_ context.Context, c *clock) error {
			for c.more() {
				var got uts.Count
				c.time(func() { got = tree.Search() })
				if err := checkCount(got, want); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func ceilingUTS(set settings, want uts.Count) contender {
	return contender{
		name:   ceilingName,
		config: fmt.Sprintf("%d processes, each searches the whole tree; the slowest counts", set.Workers),
		run: func(ctx context.Context, c *clock) error {
			return searchSideBySide(ctx, c, set, want)
		},
	}
}
