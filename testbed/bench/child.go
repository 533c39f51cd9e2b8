package main

import (
	"context"
	"fmt"
)

// Children of a task, one after the other: each is begun as a future, and waited for. The function does next to nothing, so
// the time is that of Func.Go and Future.Wait for a child that stays.

// What goals refer to.
const (
	childGoroutine = "goroutine + channel"
	childSpawn     = "the engine's spawn"
	childCount     = 1_000_000

	// The goals of the contest: the issue's.
	goalChildTime   = 250 // ns
	goalChildAllocs = 2
)

func childContest(set settings) contest {
	return contest{
		key:        "child",
		title:      fmt.Sprintf("%d children of a running function, each begun and waited for, %d workers", childCount, set.Workers),
		unit:       "child",
		operations: childCount,
		contenders: append(filchChild(set), contender{
			name:   childGoroutine,
			config: "go func() { c <- f(i) }(); <-c, with a channel of one for each",
			run:    goroutineChild,
		}),
		goals: childGoals,
	}
}

//go:noinline
func childBody(i int) int { return i ^ 1 }

func checkChildren(sum int) error {
	want := 0
	for i := range childCount {
		want += i ^ 1
	}
	if sum != want {
		return wrong("the children's sum is %d, want %d", sum, want)
	}
	return nil
}

func goroutineChild(_ context.Context, c *clock) error {
	for c.more() {
		sum := 0
		c.time(func() {
			for i := range childCount {
				r := make(chan int, 1)
				go func() { r <- childBody(i) }()
				sum += <-r
			}
		})
		if err := checkChildren(sum); err != nil {
			return err
		}
	}
	return nil
}

func childGoals(s standing) []goal {
	var l goalList
	l.add(s.fasterThan("a goroutine and a channel", 1, childGoroutine))
	ours, ok := s.ours()
	if !ok {
		return l
	}
	var times, allocs ratio
	times.value = float64(median(ours.took())) / childCount
	for _, r := range ours.rounds {
		allocs.value = max(allocs.value, float64(r.Mallocs)/childCount)
	}
	return append(l,
		goal{text: "ns for a child", got: times, want: goalChildTime, under: true},
		goal{text: "allocations for a child, in the worst round", got: allocs, want: goalChildAllocs + 0.1, under: true},
	)
}
