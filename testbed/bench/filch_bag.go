//go:build !nofilch

package main

import (
	"context"

	"github.com/filchsched/filch/exec"
)

func filchSubmit(set settings) pool {
	return filchBag("filch", "Bag.Submit, Job.Wait", set, func(ctx context.Context, bag *exec.Bag[int], args []int) error {
		for _, arg := range args {
			if err := bag.Submit(ctx, arg); err != nil {
				return err
			}
		}
		return nil
	})
}

func filchSlice(set settings) pool {
	return filchBag("filch", "one Bag.SubmitSlice, Job.Wait", set, func(ctx context.Context, bag *exec.Bag[int], args []int) error {
		return bag.SubmitSlice(ctx, args)
	})
}

func filchRange(set settings) pool {
	return filchBag("filch range", "one SubmitRange: arguments are integers and need no slice", set, func(ctx context.Context, bag *exec.Bag[int], args []int) error {
		return exec.SubmitRange(ctx, bag, 0, len(args))
	})
}

// filchBag enters filch with a bag; hand gives it the arguments.
func filchBag(name, config string, set settings, hand func(context.Context, *exec.Bag[int], []int) error) pool {
	return pool{
		contender: contender{name: name, filch: true, config: config + "; fairness, panic safety and accounting on"},
		submit: func(ctx context.Context, c *clock, args []int, do body) error {
			return onEngine(set, func(j *exec.Job) error {
				bag := exec.NewBag(j, func(_ *exec.Ctx, arg int) { do(arg) })
				var err error
				c.time(func() {
					if err = hand(ctx, bag, args); err == nil {
						err = finish(ctx, j)
					}
				})
				return err
			})
		},
	}
}
