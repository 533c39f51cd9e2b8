package decide

import (
	"fmt"
	"math"
	"strings"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal/cost"
)

const (
	samples   = 50  // per peer, before anything is counted
	decisions = 300 // per world
	within    = 1.1 // of the best is right
)

// A Result is how well somebody decided.
type Result struct {
	Name   string
	Right  float64 // share within a tenth of the best
	Regret float64 // how much longer than the best, as a share of that
	// Of filch: how much longer than the median expected it takes, typically; and how much of it takes longer than the 90th percentile.
	Bias, Over float64
}

// A rival decides in its own way; it gets the truth of the moment only as far as the news say it.
type rival struct {
	name   string
	choose func(w *world, in float64) int
}

var rivals = []rival{
	{"oracle", func(w *world, in float64) int { return w.best(in) }},
	{"always local", func(*world, float64) int { return 0 }},
	{"always remote", func(w *world, _ float64) int { // whoever announced the most
		best := 1
		for k := range w.peers {
			if k > 0 && w.peers[k].announced > w.peers[best].announced {
				best = k
			}
		}
		return best
	}},
	{"least queue", func(w *world, _ float64) int {
		best := 0
		for k := range w.peers {
			p, b := &w.peers[k], &w.peers[best]
			if float64(p.load.Queued)/float64(p.cores) < float64(b.load.Queued)/float64(b.cores) {
				best = k
			}
		}
		return best
	}},
}

func (w *world) best(in float64) (best int) {
	for k := range w.peers {
		if w.peers[k].total(in) < w.peers[best].total(in) {
			best = k
		}
	}
	return best
}

// Try lets the model and its rivals decide in so many worlds. The model is first.
func Try(seed uint64, worlds int, set Setting) []Result {
	all := make([]Result, 1+len(rivals))
	all[0].Name = "filch"
	lost, ideal := make([]float64, len(all)), 0.0
	for k := range worlds {
		ideal += one(newWorld(seed+uint64(k), set), all, lost)
	}
	for k := range all {
		all[k].Right /= float64(worlds * decisions)
		all[k].Regret = lost[k] / ideal
		all[k].Bias, all[k].Over = math.Expm1(all[k].Bias/float64(worlds*decisions)), all[k].Over/float64(worlds*decisions)
	}
	return all
}

// one is one world.
func one(w *world, all []Result, lost []float64) (ideal float64) {
	m := cost.New()
	w.news()
	w.tell(m)
	for range samples {
		w.pass()
		for k := range w.peers {
			w.runs(m, k, w.size())
		}
	}
	for range decisions {
		w.news() // of a second ago
		w.pass()
		w.tell(m)
		for k := range w.peers {
			if w.r.Float64() < 1/stolenIn {
				w.runs(m, k, w.size())
			}
		}
		in := w.size()
		c := m.Choose(w.now, &cost.Ask{Function: function, Kind: task.KindFunc, In: int64(in), Out: -1})
		best := w.peers[w.best(in)].total(in)
		ideal += best
		for k := range all {
			chosen := 0
			if k == 0 {
				chosen = w.find(c.Peer)
			} else {
				all[k].Name, chosen = rivals[k-1].name, rivals[k-1].choose(w, in)
			}
			took := w.peers[chosen].total(in)
			lost[k] += took - best
			if took <= within*best {
				all[k].Right++
			}
		}
		chosen := w.find(c.Peer)
		took := w.peers[chosen].total(in) * math.Exp(noise*w.r.NormFloat64())
		all[0].Bias += math.Log(took / c.Chosen.Total.P50().Seconds())
		if took > c.Chosen.Total.P90().Seconds() {
			all[0].Over++
		}
		w.runs(m, chosen, in)
		m.Report(w.now, &cost.Report{Ask: cost.Ask{Function: function, In: int64(in)}, Expected: c.Chosen, Took: seconds(took)})
	}
	return ideal
}

func (w *world) find(id string) int {
	for k := range w.peers {
		if w.peers[k].id == id {
			return k
		}
	}
	return 0
}

// Table is results for people.
func Table(set Setting, results []Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "drift %g, news every %g s\n", set.Drift, max(1, set.News))
	for _, r := range results {
		fmt.Fprintf(&b, "  %-14s within 10 %% of the best in %5.1f %%   regret %7.1f %%", r.Name, 100*r.Right, 100*r.Regret)
		if r.Name == "filch" {
			fmt.Fprintf(&b, "   takes %+.1f %% of what was expected, and in %.1f %% more than the 90th percentile", 100*r.Bias, 100*r.Over)
		}
		fmt.Fprintln(&b)
	}
	return b.String()
}
