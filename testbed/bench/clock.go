package main

import (
	"cmp"
	"runtime"
	"slices"
	"time"
)

const (
	// clockBudget is how long a contender's laps should take in one round. A
	// single fib(30) of some 10 ms is at the mercy of one interrupt; a
	// goroutine-per-spawn one takes most of a second and needs no second lap.
	clockBudget = 100 * time.Millisecond

	// maxLaps bounds the laps of a round where a lap is short.
	maxLaps = 9
)

// A lap is one measured region.
type lap struct {
	Elapsed time.Duration
	Mallocs uint64 // heap objects allocated by the whole process meanwhile
}

// A clock times the laps of one contender in one turn. It is used by one
// goroutine.
type clock struct {
	laps  []lap
	total time.Duration

	// verifying is set for the warm-up, whose one lap is dropped: contenders
	// whose tasks are empty then run ones that tally, a share'th of them.
	verifying bool
	share     int
}

// more reports whether another lap is due.
func (c *clock) more() bool {
	if c.verifying {
		return len(c.laps) == 0
	}
	return len(c.laps) < maxLaps && c.total < clockBudget
}

// time measures work as one lap. The heap is collected first, so that a lap
// pays for its own garbage and nobody else's.
func (c *clock) time(work func()) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	work()
	elapsed := time.Since(start)
	runtime.ReadMemStats(&after)
	c.add(lap{elapsed, after.Mallocs - before.Mallocs})
}

// record takes a lap that another process measured.
func (c *clock) record(elapsed time.Duration) { c.add(lap{Elapsed: elapsed}) }

func (c *clock) add(l lap) {
	c.laps = append(c.laps, l)
	c.total += l.Elapsed
}

// middleLap is what the round counts of a contender's laps: the middle one by time, the slower of two.
func middleLap(laps []lap) lap {
	laps = slices.Clone(laps)
	slices.SortFunc(laps, func(a, b lap) int { return cmp.Compare(a.Elapsed, b.Elapsed) })
	return laps[len(laps)/2]
}
