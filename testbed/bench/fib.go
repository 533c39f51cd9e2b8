package main

import (
	"context"
	"fmt"
	"sync"
)

// Fork-join without cut-off: fib(n) spawns fib(n-1) for every n ≥ 2, computes
// fib(n-2) itself and joins. The work between two spawns is a few instructions, so the
// time is that of spawn and join.

// The contenders that goals refer to.
const (
	fibGoroutines  = "goroutine + WaitGroup"
	fibTaskGroup   = "oneTBB task_group"
	fibInvoke      = "oneTBB parallel_invoke"
	sequentialName = "sequential Go"
)

// The goals of the fork-join contest: the issue's.
const (
	goalFibGoroutines = 10
	goalFibTBB        = 1.5
)

func fibContest(set settings) contest {
	return contest{
		key:        "fib",
		title:      fmt.Sprintf("fork-join fib(%d), no cut-off, %d workers", set.Fib, set.Workers),
		unit:       "spawn",
		operations: fibSpawns(set.Fib),
		contenders: []contender{
			filchFib(set),
			set.TBB.contender(fibTaskGroup, "task_group", set),
			set.TBB.contender(fibInvoke, "parallel_invoke", set),
			goFib(fibGoroutines, "a goroutine and a WaitGroup per spawn", set.Fib, fibGoroutine),
			goFib(sequentialName, "no spawns at all: one core, the floor", set.Fib, fibSequential),
		},
		goals: fibGoals,
	}
}

func fibGoals(s standing) []goal {
	var l goalList
	l.add(s.fasterThan("goroutines", goalFibGoroutines, fibGoroutines))
	l.add(s.fasterThan("the better of oneTBB's forms", goalFibTBB, fibTaskGroup, fibInvoke))
	return l
}

// fibValue computes fib(n) by addition, to check results by.
func fibValue(n int) int {
	a, b := 0, 1
	for range n {
		a, b = b, a+b
	}
	return a
}

// fibSpawns is the number of calls with n ≥ 2, each of which spawns once.
func fibSpawns(n int) int { return max(1, fibValue(n+1)-1) }

func checkFib(n, got int) error {
	if want := fibValue(n); got != want {
		return wrong("fib(%d) = %d, want %d", n, got, want)
	}
	return nil
}

// goFib is a contender that is one plain Go function.
func goFib(name, config string, n int, fib func(int) int) contender {
	return contender{
		name:   name,
		config: config,
		run: func(_ context.Context, c *clock) error {
			for c.more() {
				var got int
				c.time(func() { got = fib(n) })
				if err := checkFib(n, got); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func fibSequential(n int) int {
	if n < 2 {
		return n
	}
	return fibSequential(n-1) + fibSequential(n-2)
}

func fibGoroutine(n int) int {
	if n < 2 {
		return n
	}
	var a int
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		a = fibGoroutine(n - 1)
		wg.Done()
	}()
	b := fibGoroutine(n - 2)
	wg.Wait()
	return a + b
}
