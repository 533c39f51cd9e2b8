package main

import (
	"context"
	"fmt"

	"github.com/alitto/pond/v2"
	"golang.org/x/sync/errgroup"
)

// A million trivial calls whose results come back in a slice, in order, with the first error: what a program does with its own
// data.

const mapCalls = 1_000_000

func mapContest(set settings) contest {
	return contest{
		key:        "map",
		title:      fmt.Sprintf("%d trivial calls over a slice, results in order, %d workers", mapCalls, set.Workers),
		unit:       "call",
		operations: mapCalls,
		contenders: []contender{filchMap(set), errgroupMap(set), pondMap(set), pondGroupMap(set)},
		goals: func(s standing) []goal {
			var l goalList
			l.add(s.fasterThan("errgroup with a limit", 1, "errgroup"))
			l.add(s.fasterThan("the better of pond's forms", 1, "pond, Go", "pond, result group"))
			return l
		},
	}
}

func checkMap(got []int) error {
	if len(got) != mapCalls {
		return wrong("%d results, want %d", len(got), mapCalls)
	}
	for i, v := range got {
		if v != i^1 {
			return wrong("result %d is %d, want %d", i, v, i^1)
		}
	}
	return nil
}

// filling is a contender that fills a slice of results.
func filling(name, config string, fill func(ctx context.Context, args, out []int) error) contender {
	return contender{name: name, config: config, run: func(ctx context.Context, c *clock) error {
		args := arguments(mapCalls)
		for c.more() {
			var out []int
			var err error
			c.time(func() {
				out = make([]int, len(args))
				err = fill(ctx, args, out)
			})
			if err == nil {
				err = checkMap(out)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}}
}

func errgroupMap(set settings) contender {
	return filling("errgroup", fmt.Sprintf("errgroup.WithContext, SetLimit(%d), Go for each", set.Workers), func(ctx context.Context, args, out []int) error {
		g, _ := errgroup.WithContext(ctx)
		g.SetLimit(set.Workers)
		for i, a := range args {
			g.Go(func() error {
				out[i] = childBody(a)
				return nil
			})
		}
		return g.Wait()
	})
}

func pondMap(set settings) contender {
	return filling("pond, Go", fmt.Sprintf("NewPool(%d, WithQueueSize(%d)), Go for each, StopAndWait; no errors", set.Workers, pondQueue), func(_ context.Context, args, out []int) error {
		p := pond.NewPool(set.Workers, pond.WithQueueSize(pondQueue))
		for i, a := range args {
			if err := p.Go(func() { out[i] = childBody(a) }); err != nil {
				return err
			}
		}
		p.StopAndWait()
		return nil
	})
}

// pondGroupMap is what pond itself offers for results and errors.
func pondGroupMap(set settings) contender {
	return filling("pond, result group", fmt.Sprintf("NewResultPool[int](%d).NewGroup(), SubmitErr for each, Wait", set.Workers), func(_ context.Context, args, out []int) error {
		p := pond.NewResultPool[int](set.Workers)
		defer p.StopAndWait()
		g := p.NewGroup()
		for _, a := range args {
			g.SubmitErr(func() (int, error) { return childBody(a), nil })
		}
		got, err := g.Wait()
		copy(out, got)
		return err
	})
}
