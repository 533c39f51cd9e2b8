package main

import (
	"context"
	"fmt"

	"github.com/alitto/pond/v2"
)

// pondQueue is the bounded queue that was fastest, by a little, of 64, 1024,
// 16384, 131072 and the default, which has no bound.
const pondQueue = 1024

// pondBounded and pondUnbounded use Go, pond's submission without a future, which costs
// a sixth of Submit. StopAndWait ends the run, so no task needs a WaitGroup.
// Panic recovery stays on; turning it off was not measurably faster.
func pondBounded(set settings) pool {
	return pondPool("pond, bounded queue", fmt.Sprintf("NewPool(%d, WithQueueSize(%d)), Go, StopAndWait", set.Workers, pondQueue),
		set, pond.WithQueueSize(pondQueue))
}

func pondUnbounded(set settings) pool {
	return pondPool("pond", fmt.Sprintf("NewPool(%d), Go, StopAndWait", set.Workers), set)
}

func pondPool(name, config string, set settings, options ...pond.Option) pool {
	return pool{
		contender: contender{name: name, config: config},
		submit: func(_ context.Context, c *clock, args []int, do body) error {
			p := pond.NewPool(set.Workers, options...)
			var err error
			c.time(func() {
				for _, arg := range args {
					if e := p.Go(func() { do(arg) }); e != nil {
						err = e
					}
				}
				p.StopAndWait()
			})
			return err
		},
	}
}

// pondGroup is pond's own bulk call, a group given all functions at once.
func pondGroup(set settings) pool {
	return pool{
		contender: contender{name: "pond group", config: fmt.Sprintf("NewPool(%d).NewGroup().Submit(all...), Wait", set.Workers)},
		submit: func(_ context.Context, c *clock, args []int, do body) error {
			p := pond.NewPool(set.Workers)
			defer p.StopAndWait()
			var err error
			c.time(func() {
				tasks := make([]func(), len(args))
				for i, arg := range args {
					tasks[i] = func() { do(arg) }
				}
				err = p.NewGroup().Submit(tasks...).Wait()
			})
			return err
		},
	}
}
