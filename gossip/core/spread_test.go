package core

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// discovery returns the time until nine in ten of the others know a node with
// surplus, after one of a quiet cluster got some.
func discovery(t testing.TB, n int, seed uint64, loss float64, latency time.Duration) time.Duration {
	w := quiet(t, n, seed)
	w.loss, w.latency = loss, latency
	from := w.now
	w.nodes[w.rand.IntN(n)].set(full)
	ignorant, looked := 0, from
	found := w.runUntil(time.Minute, func() bool {
		if w.now < looked+time.Millisecond {
			return false
		}
		ignorant, looked = 0, w.now
		for _, x := range w.nodes {
			if x.load != full && len(x.m.Candidates(Surplus, LevelRemote, 1)) == 0 {
				ignorant++
			}
		}
		return ignorant*10 <= n-1
	})
	if !found {
		t.Fatalf("discovery: after a minute %d of %d know of no surplus (seed %d)", ignorant, n-1, seed)
	}
	return w.now - from
}

func TestIdleNodesHearOfSurplus(t *testing.T) {
	const lan, wan = 2 * time.Millisecond, 60 * time.Millisecond // one way
	for _, test := range []struct {
		n       int
		loss    float64
		latency time.Duration
		seeds   int
	}{
		{10, 0, lan, 10},
		{50, 0, lan, 20},
		{50, 0, wan, 5},
		{50, 0.1, lan, 20},
		{100, 0, lan, 5},
		{300, 0, lan, 2},
		{300, 0.1, lan, 2},
	} {
		const most = 2 * time.Second
		var all []time.Duration
		for seed := range test.seeds {
			if testing.Short() && (seed >= 3 || test.n > 50) {
				break
			}
			d := discovery(t, test.n, uint64(seed+1), test.loss, test.latency)
			all = append(all, d)
			if d > most {
				t.Errorf("discovery: n %d, loss %v, seed %d: p90 knows after %v, want %v", test.n, test.loss, seed+1, d, most)
			}
		}
		if len(all) > 0 {
			t.Logf("n %3d loss %2.0f %%, %v one way: p90 of nodes know after: median %v, worst %v, of %d seeds",
				test.n, 100*test.loss, test.latency, quantile(all, 0.5).Round(time.Microsecond), quantile(all, 1).Round(time.Microsecond), len(all))
		}
	}
}

// churn lets the load of every node change at random times, every so often on
// average: it has surplus, is busy, or is starved, a third of the time each.
func (w *world) churn(every time.Duration) {
	for _, x := range w.nodes {
		var change func()
		change = func() {
			x.set([]Load{idle, busy, full}[w.rand.IntN(3)])
			w.after(time.Duration(w.rand.ExpFloat64()*float64(every)), change)
		}
		w.after(time.Duration(w.rand.ExpFloat64()*float64(every)), change)
	}
}

// staleness looks at whom every node would ask first for work, most of them.
func (w *world) staleness(most int) (ages []time.Duration, wrong, none int) {
	for _, x := range w.nodes {
		all := x.m.Candidates(Surplus, LevelRemote, most)
		if len(all) == 0 {
			none++
		}
		for _, c := range all {
			ages = append(ages, c.News.Age)
			if w.byID[c.ID].load != full {
				wrong++
			}
		}
	}
	return ages, wrong, none
}

var sizes = []int{10, 50, 100, 300}

// within says that got is as the model says, to a share of it.
func within(t *testing.T, what string, got, model, share float64) {
	t.Helper()
	if math.Abs(got-model) > share*model {
		t.Errorf("cost: %s: measured %.1f B/s, the model says %.1f", what, got, model)
	}
}

func TestIdleCostIsTheModels(t *testing.T) {
	for _, n := range sizes {
		if testing.Short() && n > 50 {
			continue
		}
		w := quiet(t, n, 7)
		got := w.rate(3 * time.Minute)
		t.Logf("n %3d idle: %.1f B/s sent and received per node, model %.1f", n, got, IdleCost(n))
		within(t, "idle", got, IdleCost(n), 0.05)
	}
}

func TestCostUnderChangesIsTheModels(t *testing.T) {
	type cluster struct {
		n     int
		every time.Duration
		loss  float64
	}
	all := []cluster{{10, 5 * time.Second, 0}, {50, 5 * time.Second, 0}, {50, 5 * time.Second, 0.1}, {50, time.Second, 0}}
	if !testing.Short() {
		all = append(all, cluster{100, 5 * time.Second, 0}, cluster{300, 5 * time.Second, 0}, cluster{300, 5 * time.Second, 0.1})
	}
	for _, c := range all {
		n := c.n
		w := quiet(t, n, 11)
		w.loss = c.loss
		w.churn(c.every)
		w.run(30 * time.Second)
		urgent := w.urgent()
		got := w.rate(time.Minute)
		u := float64(w.urgent()-urgent) / float64(n) / 60
		model := NewsCost(NewsLoad{Members: n, Surplus: n / 3, Settled: n / 3, Starved: n / 3, Interval: NewsInterval, Urgent: u})
		model *= 1 - c.loss/2 // what is lost was sent and not received
		t.Logf("n %3d, a change per node every %v, loss %.0f %%: %.1f B/s sent and received per node (%.3f urgent/s), model %.1f, bound %.1f", n, c.every, 100*c.loss, got, u, model, MostCost())
		if n >= 50 { // in ten, how many have surplus at a time varies too much for a mean
			within(t, "under changes", got, model, 0.05)
		}
		if got > MostCost() || got > 1.05*model {
			t.Errorf("cost: %.1f B/s is more than the model's %.1f or the bound", got, model)
		}
		for _, most := range []int{2, n} {
			ages, wrong, none := w.staleness(most)
			t.Logf("n %3d, first %3d candidates of each node: %.1f found, %d nodes have none; age p50 %v p90 %v p99 %v; %.0f %% no longer have surplus", n, most, float64(len(ages))/float64(n), none,
				quantile(ages, 0.5), quantile(ages, 0.9), quantile(ages, 0.99), 100*float64(wrong)/float64(max(len(ages), 1)))
		}
	}
}

func (w *world) urgent() (all uint64) {
	for _, x := range w.nodes {
		all += x.m.Stats().NewsUrgent
	}
	return all
}

// TestCostAtTenThousand checks the model's line where no cluster was simulated:
// one machine with 9,999 peers, told by one of them a second, as by symmetry it would be.
func TestCostAtTenThousand(t *testing.T) {
	const n = 10_000
	for _, test := range []struct {
		name     string
		standing func(i int) Standing
		model    float64
	}{
		{"idle", func(int) Standing { return Starved }, IdleCost(n)},
		{"a third each", func(i int) Standing { return Standing(i % 3) }, NewsCost(NewsLoad{Members: n, Surplus: n / 3, Starved: n / 3, Interval: NewsInterval})},
	} {
		x := newWorld(t, 1, 3).nodes[0].m
		for i := 1; i < n; i++ {
			x.Step(0, MemberSeen{ID: idOf(i), State: Alive, Tag: Tag{Incarnation: 1, Sequence: 1, Hash: Hash{byte(i)}}})
		}
		x.Step(0, LoadChanged{idle})
		r := rand.New(rand.NewPCG(9, 9))
		bytes, began, ended := 0, 3*time.Minute, 8*time.Minute
		for at := time.Duration(0); at < ended; at += 100 * time.Millisecond {
			var effects []Effect
			if at%time.Second == 0 {
				d := datagram{digest: x.Digest()}
				for range 5 {
					i := 1 + r.IntN(n-1)
					d.entries = append(d.entries, Entry{who: handleOf(idOf(i)), incarnation: 1, sequence: uint32(at / time.Millisecond), standing: test.standing(i)})
				}
				effects = x.Step(at, NewsArrived{Datagram: d.encode()})
			}
			for _, f := range append(effects, x.Step(at, Tick{})...) {
				if s, ok := f.(SendNews); ok && at >= began {
					bytes += 2 * (len(s.Datagram) + SealLen)
				}
			}
		}
		got := float64(bytes) / (ended - began).Seconds()
		t.Logf("n %d, %s: twice what a node sends is %.1f B/s, model %.1f", n, test.name, got, test.model)
		within(t, test.name, got, test.model, 0.06) // a sixteenth: turns are looked for every 100 ms only
	}
}
