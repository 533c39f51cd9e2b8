package core

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// TestTimesAreCounted: how long tasks waited where they started, how long they ran, and how long
// peers that were asked for work took to answer.
func TestTimesAreCounted(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 1, "thief": 1})
	w.submit("home", 2, Terms{})
	w.pass(3 * time.Second)
	w.done("home", 3*time.Second)
	w.step("home", Finished{Piece: w.runs["home"][0].Piece, State: task.Cancelled})
	w.runs["home"] = nil
	got := w.nodes["home"].Times()[task.KindFunc]
	if got.Waits.Count() != 3 || got.Waits.Counts[0] != 1 || got.Waits.Sum < 6*time.Second || got.Runs.Count() != 1 || got.Runs.Sum != 3*time.Second {
		t.Errorf("%+v", got)
	}
	w.step("home", CancelJob{w.nodes["home"].jobOrder[0].id})
	w.members()
	w.know("thief", "home", 3, time.Second)
	w.deaf["thief"] = true
	for w.nodes["thief"].thief.asking == "" {
		w.pass(10 * time.Millisecond)
	}
	w.pass(20 * time.Millisecond)
	w.deaf["thief"] = false
	w.settle()
	asks := w.nodes["thief"].Asks()
	if h := asks[w.nodes["thief"].near.level("home")]; h.Count() != 1 || h.Sum < 20*time.Millisecond || h.Sum > 30*time.Millisecond {
		t.Errorf("%+v", asks)
	}
}

// TestArrivalsAreFewAndNearlyRight, however tasks come and however long they wait.
func TestArrivalsAreFewAndNearlyRight(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var a arrivals
		var came []time.Duration
		now, oldest, most := time.Hour, uint64(0), 0
		pace := time.Duration(1 + rng.Int64N(int64(time.Duration(1)<<rng.IntN(35))))
		for i := range uint64(20000) {
			now += time.Duration(rng.Int64N(int64(pace) + 1))
			a.add(now, i, oldest)
			came = append(came, now)
			if rng.IntN(3) == 0 {
				oldest++
			}
			most = max(most, len(a.batches))
		}
		for i := oldest; i < uint64(len(came)); i += 1 + rng.Uint64N(50) {
			k := a.find(i)
			if k < 0 {
				t.Fatalf("seed %d: task %d is forgotten, and %d waits", seed, i, oldest)
			}
			if off, whole := came[i]-a.batches[k].at, now-came[0]; off < 0 || off > max(sameBatch, whole/batchShare) {
				t.Fatalf("seed %d: task %d is off by %v of %v", seed, i, off, whole)
			}
		}
		if most > 4000 {
			t.Errorf("seed %d: %d batches", seed, most)
		}
	}
}
