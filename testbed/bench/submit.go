package main

import (
	"context"
	"fmt"
)

// Single submissions: one goroutine that is not a task hands over one task
// after another, each with an argument of its own, and waits for all of them.
// The tasks are empty, so the time is that of handing over.

// goalSubmit is how many times faster than the best Go pool a submission shall
// be, one by one and in bulk: the issue's.
const goalSubmit = 1.3

// A submission hands the tasks args[0], args[1], ... to a pool that it made
// outside the measured region, and returns when all have run. Where the
// contest is one task at a time it must not look ahead in args.
type submission func(ctx context.Context, c *clock, args []int, do body) error

func submitContest(set settings) contest {
	args := arguments(set.Tasks)
	return contest{
		key:        "submit",
		title:      fmt.Sprintf("%d single submissions from one outside goroutine, %d workers", set.Tasks, set.Workers),
		unit:       "task",
		operations: set.Tasks,
		contenders: []contender{
			filchSubmit(set).entering(args),
			channelOfArguments(set).entering(args),
			channelOfClosures(set).entering(args),
			pondBounded(set).entering(args),
			pondUnbounded(set).entering(args),
			antsMulti(set).entering(args),
			antsWithFunc(set).entering(args),
			antsSubmit(set).entering(args),
			goroutinePerTask().entering(args),
		},
		goals: submitGoals,
	}
}

// submitGoals measures filch against every rival that runs the same program.
func submitGoals(s standing) []goal {
	ours, ok := s.ours()
	best, found := s.fastest(func(c contender) bool { return !c.filch && !c.aside })
	if !ok || !found {
		return nil
	}
	text := fmt.Sprintf("%s against the best Go pool (%s), times faster", ours.contender.name, best.contender.name)
	return []goal{{text: text, got: timesFaster(best, ours), want: goalSubmit}}
}

// arguments are 0..n-1, made once: every contender reads the same slice.
func arguments(n int) []int {
	args := make([]int, n)
	for i := range args {
		args[i] = i
	}
	return args
}

// A pool is a rival before it is given its arguments.
type pool struct {
	contender
	submit submission
}

// entering makes the pool a contender for those arguments: with tasks that
// tally in the warm-up, with empty ones where time counts.
func (p pool) entering(args []int) contender {
	c := p.contender
	c.run = func(ctx context.Context, clock *clock) error {
		for clock.more() {
			if !clock.verifying {
				if err := p.submit(ctx, clock, args, empty); err != nil {
					return err
				}
				continue
			}
			var t tally
			part := args[:max(1, len(args)/clock.share)]
			if err := p.submit(ctx, clock, part, t.add); err != nil {
				return err
			}
			if err := t.check(len(part)); err != nil {
				return err
			}
		}
		return nil
	}
	return c
}
