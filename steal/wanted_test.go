package steal_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/filchsched/filch/steal/core"
)

// TestDriverTellsWhoWaitsAndCancelsParts: Wanted arrives at Home, Ask answers how much, and what is told of a part of a
// job or of slack gets to the state machine.
func TestDriverTellsWhoWaitsAndCancelsParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newMemNet()
		home, thief := start(t, net, "home", 2), start(t, net, "thief", 3)
		meet(home, thief)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		wanted := 0
		for _, e := range home.told {
			if _, ok := e.(core.Wanted); ok {
				wanted++
			}
		}
		appetite := 0
		if err := home.d.Ask(t.Context(), func(c *core.Core) { appetite = c.Appetite() }); err != nil {
			t.Fatal(err)
		}
		if wanted != 1 || appetite != 3 {
			t.Errorf("told %d times that somebody waits, for %d tasks", wanted, appetite)
		}
		id := home.submit(core.Terms{}, 0)
		home.d.Tell(core.PauseJob{Job: id, On: true}, core.Extend{Job: id, N: 5}, core.CancelTasks{Job: id, Span: core.Span{Lo: 1, Hi: 4}}, core.Slack{Cores: 1})
		synctest.Wait()
		if n := len(home.values[id]); n != 3 || home.failed[1] != "cancelled" || home.failed[3] != "cancelled" {
			t.Errorf("%d outcomes after the cancel of three tasks: %v", n, home.failed)
		}
		home.d.Tell(core.PauseJob{Job: id})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n := len(home.values[id]); n != 5 || len(home.failed) != 3 || len(home.twice) > 0 {
			t.Errorf("%d outcomes at the end, %v", n, home.failed)
		}
	})
}
