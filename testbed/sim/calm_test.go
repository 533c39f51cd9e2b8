package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal/core"
)

// calm makes a cluster in which nothing happens but what the test does.
func calm(seed uint64, nodes, cores int) *world {
	w := &world{seed: seed, rng: rand.New(rand.NewPCG(seed, 0x52)), tasks: make(map[core.JobID]*batch), blocked: make(map[[2]string]int)}
	w.check = checker{w: w, jobs: make(map[core.JobID]*fate), proofs: make(map[proofKey]bool)}
	for k := range nodes {
		id := fmt.Sprintf("n%02d", k)
		w.nodes = append(w.nodes, &node{w: w, name: id, id: core.PeerID(id), cores: cores, slow: 1, rate: 1})
	}
	for _, n := range w.nodes {
		n.boot()
	}
	for _, n := range w.nodes {
		n.step(core.Members{List: w.members(n)})
	}
	w.in(time.Second, w.sweeping)
	return w
}

// TestIdleClusterFallsSilent: after ten seconds of settling no offer, withdrawal
// or news for a minute.
func TestIdleClusterFallsSilent(t *testing.T) {
	w := calm(1, 20, 2)
	never := func() bool { return false }
	w.run(10*time.Second, never)
	w.keep = true
	talk, beats := 0, 0
	w.overhears = func(m core.Message) {
		switch m.(type) {
		case core.Offer, core.Withdraw, core.News, core.NoWork, core.Hello:
			talk++
		case core.Beat:
			beats++
		}
	}
	w.run(70*time.Second, never)
	if talk > 0 {
		t.Errorf("%d frames of 20 idle nodes in a minute", talk)
	}
	if most := 60 * 20 * 6 / 4; beats > most {
		t.Errorf("%d heartbeats for standing offers, more than %d", beats, most)
	}
}

// TestSeedRepeatsExactly: two runs of a seed do the same at the same time.
func TestSeedRepeatsExactly(t *testing.T) {
	for seed := uint64(1); seed <= 5; seed++ {
		a, b := newWorld(seed, true), newWorld(seed, true)
		if x, y := a.play(), b.play(); x != y || !slices.Equal(a.trace, b.trace) {
			t.Errorf("seed %d: two runs differ: %q, %q", seed, x, y)
		}
	}
}

// TestWorkSpreads: tasks that are all submitted on one of several equal nodes end
// in little more than the time that all of them need together.
func TestWorkSpreads(t *testing.T) {
	for _, test := range []struct {
		nodes, tasks int
		takes        time.Duration
		atLeast      float64 // of the ideal
	}{
		{2, 400, 10 * time.Millisecond, 0.95},
		{2, 400, 100 * time.Millisecond, 0.95},
		{8, 800, 100 * time.Millisecond, 0.85},
		{20, 400, time.Second, 0.85},
	} {
		w := calm(7, test.nodes, 1)
		w.run(5*time.Second, func() bool { return false })
		b := &batch{home: w.nodes[0], terms: core.Terms{Name: "f", Kind: task.KindFunc}}
		for range test.tasks {
			b.natures = append(b.natures, nature{takes: test.takes})
		}
		w.tasks[core.JobID{Seq: 1}] = b
		begin := w.now
		w.nodes[0].step(core.Submit{Ref: 1, Terms: b.terms, N: uint64(test.tasks)})
		w.run(begin+time.Hour, func() bool { _, _, any := w.check.unfinished(); return !any })
		took := w.now - begin
		ideal := test.takes * time.Duration(test.tasks) / time.Duration(test.nodes)
		if w.check.broken != "" {
			t.Fatal(w.check.broken)
		}
		got := float64(ideal) / float64(took)
		t.Logf("%d nodes, %d tasks of %v: %v, ideal %v: %.3f", test.nodes, test.tasks, test.takes, took, ideal, got)
		if got < test.atLeast {
			t.Errorf("%d nodes, %d tasks of %v: %.3f of the ideal", test.nodes, test.tasks, test.takes, got)
		}
	}
}
