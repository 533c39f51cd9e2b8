package sim

import (
	"flag"
	"fmt"
	"testing"
	"time"
)

var (
	flagNodes = flag.Int("nodes", 0, "how many nodes the tests of scale have; 0: a hundred, and small loads")
	flagTasks = flag.Uint64("tasks", 1_000_000, "how many tasks a bag has with -nodes")
	flagCase  = flag.String("case", "", "only the case of this name")
)

// atScale makes a cluster of the usual shape.
func atScale(nodes int) shape {
	racks := 25
	if nodes < 1000 {
		racks = 4 // so that there is more than one zone
	}
	return shape{nodes: nodes, cores: 4, perRack: 40, racksPerZone: racks, args: 256, results: 64, seed: 1}
}

// settled lets the nodes lay their standing offers.
const settled = 20 * time.Second

// TestScale: a bag and a tree, all of it on one node at first. Every task is
// committed once, and the whole takes not much longer than the cores need for it.
// The bounds are loose; the figures are in the log.
func TestScale(t *testing.T) {
	nodes, tasks := *flagNodes, *flagTasks
	if nodes == 0 {
		nodes, tasks = 100, 10_000
	}
	for _, c := range []struct {
		name  string
		mean  time.Duration
		tree  bool
		least float64
	}{
		{"bag-1s", time.Second, false, 0.5},
		{"bag-50ms", 50 * time.Millisecond, false, 0.2},
		{"tree-1s", time.Second, true, 0.3},
		{"tree-50ms", 50 * time.Millisecond, true, 0.1},
	} {
		if *flagCase != "" && *flagCase != c.name {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			s := atScale(nodes)
			s.check = nodes <= 100 && tasks <= 1000
			p := newPlant(s)
			home := nodes / 3
			var l *load
			if c.tree {
				tr := tree{branch: 3.6, depth: 8, wide: 100} // 1,070,256 tasks
				if tasks < 100_000 {
					tr.depth = 5
				}
				l = p.unbalanced(c.name, home, settled, tr, c.mean, 0.5)
			} else {
				l = p.bag(c.name, home, settled, tasks, c.mean, 0.5)
			}
			begin := time.Now()
			p.run(settled - 1)
			idle := p.figures
			p.figures = figures{submitted: idle.submitted, granted: idle.granted}
			before := p.nodes[home]
			p.run(24 * time.Hour)
			p.judge(t, l, c.least, &before, time.Since(begin))
		})
	}
}

func (p *plant) judge(t *testing.T, l *load, least float64, before *machine, wall time.Duration) {
	t.Helper()
	if p.wrong != "" {
		t.Fatal(p.wrong)
	}
	took := p.now - l.begun
	sum, longest, n := l.work()
	cores := len(p.nodes) * p.cores
	ideal := max(sum/time.Duration(cores), longest) + 2*latency[levelRemote]
	if p.left > 0 || p.tasks < n {
		t.Errorf("%d of %d tasks are not committed, %d there should be", p.left, p.tasks, n)
	}
	if twice := p.tasks - n; twice > 0 { // children are part of their parent's attempt, and the slowest parents had two
		t.Logf("%d tasks were spawned a second time, by second attempts at their parents", twice)
	}
	home := &p.nodes[l.home]
	total := uint64(0)
	text := ""
	for k, c := range p.frames {
		total += c
		if c > 0 {
			text += fmt.Sprintf(" %s %d", messageNames[k], c)
		}
	}
	got := float64(ideal) / float64(took)
	t.Logf("%s, %d nodes: %v, bound %v (work %v, chain %v): %.3f", l.name, len(p.nodes), took.Round(time.Millisecond), ideal.Round(time.Millisecond), (sum / time.Duration(cores)).Round(time.Millisecond), longest.Round(time.Millisecond), got)
	g := l.greedy(cores)
	t.Logf("  greedy without latency %v (%.3f of the bound): %.3f of it", g.Round(time.Millisecond), float64(ideal)/float64(g), float64(g)/float64(took))
	t.Logf("  half of the cores busy after %v, 90%% after %v, 99%% after %v; until %v, %v, %v", since(p.reached[0], l), since(p.reached[1], l), since(p.reached[2], l),
		since(p.fell[0], l), since(p.fell[1], l), since(p.fell[2], l))
	busiest := time.Duration(0)
	for k := range p.nodes {
		if int32(k) != l.home {
			busiest = max(busiest, p.nodes[k].spent)
		}
	}
	t.Logf("  home: %d peers more than before, %d were granted something; %d frames in, %.0f/s; its loop was busy for %s, the busiest other for %s; dials %d, streams %d",
		home.degree-before.degree, len(p.granted), home.frames-before.frames, float64(home.frames-before.frames)/took.Seconds(), percent(uint64(home.spent-before.spent), uint64(took)), percent(uint64(busiest), uint64(took)), p.dials, p.streams)
	t.Logf("  %.2f frames a task, %.2f news; away %s;%s", float64(total)/float64(p.tasks), float64(p.news)/float64(p.tasks), percent(p.away, p.tasks), text)
	t.Logf("  grants by level %v, tasks %v, bytes %v", p.grants[1:], p.stolen[1:], p.bytes[1:])
	t.Logf("  %d steps in %v", p.steps, wall.Round(time.Millisecond))
	if got < least {
		t.Errorf("%.3f of the bound, less than %.2f", got, least)
	}
}

func since(at time.Duration, l *load) string {
	if at == 0 {
		return "never"
	}
	return (at - l.begun).Round(time.Millisecond).String()
}
