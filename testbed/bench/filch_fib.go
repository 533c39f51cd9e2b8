//go:build !nofilch

package main

import (
	"context"

	"github.com/filchsched/filch/exec"
)

// fibFn is set in init because its body refers to it.
var fibFn *exec.Fn[int, int]

func init() { fibFn = exec.Define(fibSpawning) }

func fibSpawning(c *exec.Ctx, n int) int {
	if n < 2 {
		return n
	}
	a := fibFn.Spawn(c, n-1)
	b := fibSpawning(c, n-2)
	return a.Join(c) + b
}

func filchFib(set settings) contender {
	return contender{
		name:   "filch",
		filch:  true,
		config: "Fn.Spawn, Child.Join; fairness, panic safety and accounting on",
		run: func(ctx context.Context, c *clock) error {
			return onEngine(set, func(j *exec.Job) error {
				if _, err := fibFn.Call(ctx, j, set.Fib); err != nil { // as oneTBB's program does
					return err
				}
				for c.more() {
					var got int
					var err error
					c.time(func() { got, err = fibFn.Call(ctx, j, set.Fib) })
					if err != nil {
						return err
					}
					if err := checkFib(set.Fib, got); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}
