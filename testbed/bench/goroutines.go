package main

import (
	"context"
	"fmt"
	"sync"
)

// goroutinePerTask is plain Go: a goroutine each, one WaitGroup. Add is called
// once, not per task, and wg.Done is deferred so that a panic is no deadlock.
func goroutinePerTask() pool {
	return pool{
		contender: contender{name: "goroutines", config: "a goroutine per task, one WaitGroup"},
		submit: func(_ context.Context, c *clock, args []int, do body) error {
			c.time(func() {
				var wg sync.WaitGroup
				wg.Add(len(args))
				for _, arg := range args {
					go func() {
						defer wg.Done()
						do(arg)
					}()
				}
				wg.Wait()
			})
			return nil
		},
	}
}

// goroutinePerShare is the program one would write if tasks were known to be
// equal: no balancing at all.
func goroutinePerShare(set settings) pool {
	return pool{
		contender: contender{
			name:   "by hand: equal shares",
			aside:  true,
			config: fmt.Sprintf("%d goroutines, each loops over its share of the slice", set.Workers),
		},
		submit: func(_ context.Context, c *clock, args []int, do body) error {
			c.time(func() {
				var wg sync.WaitGroup
				for w := range set.Workers {
					share := args[w*len(args)/set.Workers : (w+1)*len(args)/set.Workers]
					wg.Go(func() {
						for _, arg := range share {
							do(arg)
						}
					})
				}
				wg.Wait()
			})
			return nil
		},
	}
}
