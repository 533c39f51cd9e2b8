package main

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/filchsched/filch/testbed/uts"
)

// took makes a score of a contender with these rounds, in milliseconds.
func took(name string, filch bool, ms ...int) score {
	s := score{contender: contender{name: name, filch: filch}}
	for _, m := range ms {
		s.rounds = append(s.rounds, lap{Elapsed: time.Duration(m) * time.Millisecond})
	}
	return s
}

func TestContendersAlternate(t *testing.T) {
	var order []string
	turn := func(_ context.Context, _ contest, con contender, rehearsal bool) (turnResult, error) {
		order = append(order, con.name)
		if rehearsal {
			return turnResult{}, nil
		}
		return turnResult{Laps: []lap{{Elapsed: 1}}}, nil
	}
	c := contest{contenders: []contender{{name: "a"}, {name: "b"}, {name: "gone", missing: "not here"}, {name: "c"}}}
	s, err := play(t.Context(), c, 2, turn, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "b", "c", "b", "c", "a", "c", "a", "b"}; !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
	for _, sc := range s.scores {
		if want := 2; sc.contender.missing == "" && len(sc.rounds) != want {
			t.Errorf("%s has %d rounds, want %d: the first is dropped", sc.contender.name, len(sc.rounds), want)
		}
	}
}

func TestAWrongResultFailsTheContestAndDropsTheFigures(t *testing.T) {
	turns := 0
	turn := func(_ context.Context, _ contest, con contender, _ bool) (turnResult, error) {
		if con.name == "liar" {
			if turns++; turns == 3 {
				return turnResult{}, wrong("6 is not 7")
			}
		}
		return turnResult{Laps: []lap{{Elapsed: 1}}}, nil
	}
	c := contest{key: "k", contenders: []contender{{name: "liar"}, {name: "honest"}}}
	s, err := play(t.Context(), c, 5, turn, func(string) {})
	if !errors.Is(err, errWrong) {
		t.Errorf("error %v, want a wrong result", err)
	}
	if turns != 3 {
		t.Errorf("%d turns of a contender that failed in its third", turns)
	}
	if _, ok := s.score("liar"); ok {
		t.Error("a contender with a wrong result kept its figures")
	}
	if honest, _ := s.score("honest"); len(honest.rounds) == 0 {
		t.Error("the other contender lost its figures")
	}
}

func TestTurnsCatchWrongResults(t *testing.T) {
	lossy := pool{contender: contender{name: "lossy"}, submit: func(_ context.Context, c *clock, args []int, do body) error {
		c.time(func() {
			for _, arg := range args[1:] {
				do(arg)
			}
		})
		return nil
	}}
	doubling := pool{contender: contender{name: "doubling"}, submit: func(_ context.Context, c *clock, args []int, do body) error {
		c.time(func() {
			for _, arg := range args[1:] {
				do(arg)
			}
			do(args[1])
		})
		return nil
	}}
	for _, p := range []pool{lossy, doubling} {
		for _, rehearsal := range []bool{true, false} {
			if _, err := runTurn(t.Context(), p.entering(arguments(100)), rehearsal); !errors.Is(err, errWrong) {
				t.Errorf("%s, rehearsal %v: error %v, want a wrong result", p.name, rehearsal, err)
			}
		}
	}
	broken := goFib("broken", "", 10, func(int) int { return 54 })
	if _, err := runTurn(t.Context(), broken, false); !errors.Is(err, errWrong) {
		t.Errorf("fib: error %v, want a wrong result", err)
	}
}

func TestAChildTellsThatAResultIsWrong(t *testing.T) {
	set := settings{Workers: 2, Tree: smallTree, Limit: time.Minute}
	set.Count.Nodes = 3986 // it has one more
	for _, name := range []string{sequentialName, ceilingName} {
		_, err := turnInChild(t.Context(), turnOrder{Contest: "uts", Contender: name, Settings: set})
		if !errors.Is(err, errWrong) {
			t.Errorf("%s: error %v, want a wrong result", name, err)
		}
	}
	if _, err := turnInChild(t.Context(), turnOrder{Contest: "uts", Contender: "nobody", Settings: set}); err == nil || errors.Is(err, errWrong) {
		t.Errorf("error %v for a contender that does not exist", err)
	}
}

func TestEveryRivalRunsEveryTaskOnce(t *testing.T) {
	for _, workers := range []int{1, 2, 3} {
		set := settings{Workers: workers, Tasks: 2000}
		for _, c := range []contest{submitContest(set), bulkContest(set)} {
			for _, con := range c.contenders {
				if con.missing != "" {
					continue
				}
				laps, err := runTurn(t.Context(), con, false)
				if err != nil || len(laps) == 0 {
					t.Errorf("%s on %d workers: %d laps, %v", con.name, workers, len(laps), err)
				}
			}
		}
	}
}

func TestClockStops(t *testing.T) {
	short := new(clock)
	for short.more() {
		short.record(time.Microsecond)
	}
	if len(short.laps) != maxLaps {
		t.Errorf("%d short laps, want %d", len(short.laps), maxLaps)
	}
	long := new(clock)
	for long.more() {
		long.record(clockBudget)
	}
	if len(long.laps) != 1 {
		t.Errorf("%d long laps, want 1", len(long.laps))
	}
	if middle := middleLap([]lap{{Elapsed: 3}, {Elapsed: 1}, {Elapsed: 2}}); middle.Elapsed != 2 {
		t.Errorf("middle lap %v, want 2", middle.Elapsed)
	}
}

func TestClockCountsAllocations(t *testing.T) {
	c := new(clock)
	c.time(func() {
		for i := range 1000 {
			closureSink = func() int { return i }
		}
	})
	if n := c.laps[0].Mallocs; n < 1000 || n > 1100 {
		t.Errorf("1000 closures counted as %d allocations", n)
	}
}

func TestMedian(t *testing.T) {
	for _, v := range []struct {
		list []float64
		want float64
	}{
		{nil, 0}, {[]float64{4}, 4}, {[]float64{9, 1, 4}, 4}, {[]float64{1, 2, 10, 3}, 2.5},
	} {
		if got := median(v.list); got != v.want {
			t.Errorf("median(%v) = %v, want %v", v.list, got, v.want)
		}
	}
}

func TestGoals(t *testing.T) {
	s := standing{contest: contest{key: "fib"}, scores: []score{
		took("filch", true, 10, 10, 20),
		took(fibTaskGroup, false, 40, 20, 30),
		took(fibInvoke, false, 14, 14, 14),
		took(fibGoroutines, false, 90, 90, 90),
	}}
	goals := fibGoals(s)
	if len(goals) != 2 {
		t.Fatalf("goals %v", goals)
	}
	if g := goals[0]; g.met() || g.got != (ratio{9, 4.5, 9}) {
		t.Errorf("against goroutines: %v", g)
	}
	if g := goals[1]; g.met() || g.got != (ratio{1.4, 0.7, 1.4}) {
		t.Errorf("the better form is parallel_invoke, 1.4 times slower: %v", g)
	}
	if got := fibGoals(standing{scores: s.scores[1:]}); got != nil {
		t.Errorf("goals without filch: %v", got)
	}

	// Two processes take 1.5 s for two trees, so the ceiling is 0.75 s a tree.
	u := standing{scores: []score{took("filch", true, 1000), took(ceilingName, false, 1500)}}
	if g := utsGoals(u, 2); len(g) != 1 || g[0].got.value != 0.75 || g[0].met() {
		t.Errorf("efficiency %v, want 0.75", g)
	}

	aside := took("by hand", false, 1)
	aside.contender.aside = true
	b := standing{scores: []score{took("filch", true, 10), took("rival", false, 20), aside}}
	if g := submitGoals(b); len(g) != 1 || g[0].got.value != 2 || !g[0].met() {
		t.Errorf("goal %v: a different program must not count", g)
	}
}

// TestAHangingTurnIsEnded gives the sequential search a tree that takes an
// hour.
func TestAHangingTurnIsEnded(t *testing.T) {
	set := settings{Workers: 2, Tree: "-t1 -a3 -d20 -b4 -r19", Limit: 200 * time.Millisecond}
	_, err := turnInChild(t.Context(), turnOrder{Contest: "uts", Contender: sequentialName, Settings: set})
	if err == nil || !strings.Contains(err.Error(), "-limit") {
		t.Errorf("error %v, want that the turn was not over", err)
	}
}

// TestPeakIsOfTheTurnAlone grows this process before it starts a turn that
// needs next to nothing.
func TestPeakIsOfTheTurnAlone(t *testing.T) {
	if peakMemory() == 0 {
		t.Skip("no /proc here")
	}
	ballast := make([]byte, 256<<20)
	for i := range ballast {
		ballast[i] = 1
	}
	set := settings{Workers: 2, Tree: smallTree, Limit: time.Minute}
	set.Count = uts.Count{Nodes: 3987, Leaves: 3232, Depth: 5}
	result, err := turnInChild(t.Context(), turnOrder{Contest: "uts", Contender: sequentialName, Settings: set})
	if err != nil {
		t.Fatal(err)
	}
	if result.Peak <= 0 || result.Peak > 128<<20 {
		t.Errorf("a turn that needs next to nothing peaked at %d MB", result.Peak>>20)
	}
	runtime.KeepAlive(ballast)
}
