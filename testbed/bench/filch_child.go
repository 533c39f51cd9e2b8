//go:build !nofilch

package main

import (
	"context"

	"github.com/filchsched/filch/exec"
	"github.com/filchsched/filch/node"
)

// The functions of the library's contests.
var (
	childOf = node.Define("bench/child", func(_ context.Context, i int) (int, error) { return childBody(i), nil }, node.Version(1))

	childrenOf = node.Define("bench/children", func(ctx context.Context, n int) (int, error) {
		sum := 0
		for i := range n {
			v, err := childOf.Go(ctx, nil, i).Wait(ctx)
			if err != nil {
				return 0, err
			}
			sum += v
		}
		return sum, nil
	}, node.Version(1))

	spawnOf = exec.Define(func(_ *exec.Ctx, i int) int { return childBody(i) })

	spawnsOf = exec.Define(func(c *exec.Ctx, n int) int {
		sum := 0
		for i := range n {
			sum += spawnOf.Spawn(c, i).Join(c)
		}
		return sum
	})
)

// filchChild are the library and what is below it.
func filchChild(set settings) []contender {
	return []contender{{
		name: "filch", filch: true, config: "Func.Go, Future.Wait inside of a function",
		run: func(ctx context.Context, c *clock) error {
			return onNode(ctx, set, func(n *node.Node) error {
				for c.more() {
					var sum int
					var err error
					c.time(func() { sum, err = childrenOf.Call(ctx, n, childCount) })
					if err == nil {
						err = checkChildren(sum)
					}
					if err != nil {
						return err
					}
				}
				return nil
			})
		},
	}, {
		name: childSpawn, filch: true, config: "Fn.Spawn, Child.Join: no context, no error, no future",
		run: func(ctx context.Context, c *clock) error {
			return onEngine(set, func(j *exec.Job) error {
				for c.more() {
					var sum int
					var err error
					c.time(func() { sum, err = spawnsOf.Call(ctx, j, childCount) })
					if err == nil {
						err = checkChildren(sum)
					}
					if err != nil {
						return err
					}
				}
				return nil
			})
		},
	}}
}

// onNode runs work with a node on its own.
func onNode(ctx context.Context, set settings, work func(*node.Node) error) error {
	n, err := node.Start(ctx, node.Config{Workers: set.Workers})
	if err != nil {
		return err
	}
	defer n.Drain(context.WithoutCancel(ctx))
	return work(n)
}

// filchMap is the library's MapSlice from outside of a function.
func filchMap(set settings) contender {
	return contender{
		name: "filch", filch: true, config: "Func.MapSlice by way of a node; every call can be stolen, cancelled, explained and retried",
		run: func(ctx context.Context, c *clock) error {
			args := arguments(mapCalls)
			return onNode(ctx, set, func(n *node.Node) error {
				for c.more() {
					var got []int
					var err error
					c.time(func() { got, err = childOf.MapSlice(ctx, n, args) })
					if err == nil {
						err = checkMap(got)
					}
					if err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}
