package main

import (
	"context"
	"fmt"

	"github.com/panjf2000/ants/v2"
)

// ants has no call that waits for tasks, and its README puts a WaitGroup into each.
// Releasing the pool waits for its workers and thereby for every accepted task, which
// spares it that cost. Workers are resident (WithDisablePurge); preallocation
// made no difference.

// antsPool is what the three kinds of ants' pools have in common.
type antsPool interface {
	ReleaseContext(ctx context.Context) error
}

// antsMulti shards the pool's lock: the fastest of ants' forms on two workers.
func antsMulti(set settings) pool {
	return antsRival("ants MultiPoolWithFuncGeneric",
		fmt.Sprintf("%d pools of 1, RoundRobin, Invoke, ReleaseContext", set.Workers),
		func(do body) (antsPool, func(int) error, error) {
			p, err := ants.NewMultiPoolWithFuncGeneric(set.Workers, 1, do, ants.RoundRobin, ants.WithDisablePurge(true))
			return p, p.Invoke, err
		})
}

func antsWithFunc(set settings) pool {
	return antsRival("ants PoolWithFuncGeneric",
		fmt.Sprintf("a pool of %d, Invoke, ReleaseContext", set.Workers),
		func(do body) (antsPool, func(int) error, error) {
			p, err := ants.NewPoolWithFuncGeneric(set.Workers, do, ants.WithDisablePurge(true))
			return p, p.Invoke, err
		})
}

func antsSubmit(set settings) pool {
	return antsRival("ants Pool",
		fmt.Sprintf("a pool of %d, Submit of a closure, ReleaseContext", set.Workers),
		func(do body) (antsPool, func(int) error, error) {
			p, err := ants.NewPool(set.Workers, ants.WithDisablePurge(true))
			return p, func(arg int) error { return p.Submit(func() { do(arg) }) }, err
		})
}

func antsRival(name, config string, start func(body) (antsPool, func(int) error, error)) pool {
	return pool{
		contender: contender{name: name, config: config},
		submit: func(ctx context.Context, c *clock, args []int, do body) error {
			p, invoke, err := start(do)
			if err != nil {
				return err
			}
			c.time(func() {
				for _, arg := range args {
					if e := invoke(arg); e != nil {
						err = e
					}
				}
				if e := p.ReleaseContext(ctx); e != nil {
					err = e
				}
			})
			return err
		},
	}
}
