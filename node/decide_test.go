//go:build unix

package node

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal/cost"
)

// TestDecideAlone: a node on its own decides, too, and says so; what nobody can run is no error.
func TestDecideAlone(t *testing.T) {
	n, err := Start(t.Context(), withSquare(1))
	if err != nil {
		t.Fatal(err)
	}
	defer n.Drain(context.Background())
	d, err := n.Decide(t.Context(), Spec{Function: "square", InBytes: 8})
	if err != nil || !d.Local || d.Target != n.ID() || !d.Placeable() || !d.Expires.After(time.Now()) {
		t.Errorf("%+v, %v", d, err)
	}
	if text := d.Explain(); !strings.Contains(text, "square: here, on ") || len(d.Candidates) != 1 || d.Candidates[0].Total.P90 < d.Candidates[0].Total.P50 {
		t.Errorf("%s", text)
	}
	if d, err := n.Decide(t.Context(), Spec{Function: "cube"}); err != nil || d.Placeable() || !strings.Contains(d.Explain(), cost.RejectedUnknown) {
		t.Errorf("%+v, %v", d, err)
	}
	for _, s := range []Spec{{}, {Function: "f", Command: &Command{}}, {Function: "f", InBytes: -1}, {Function: "f", Energy: -1}, {Function: "f", Zones: make([]string, maxNamed+1)}} {
		if _, err := n.Decide(t.Context(), s); err == nil {
			t.Errorf("%+v: no error", s)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := n.Decide(ctx, Spec{Function: "square"}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestStealingTeachesDecide: what ran anywhere, however it got there, is what a decision rests on.
func TestStealingTeachesDecide(t *testing.T) {
	nodes := cluster(t, withSquare(1), withSquare(1))
	const tasks = 60
	j, err := nodes[0].SubmitCalls(t.Context(), squares(tasks, 5*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	if hosts := checkSquares(t, j, tasks); hosts[nodes[1].ID()] == 0 {
		t.Fatal("nothing was stolen")
	}
	d, err := nodes[0].Decide(t.Context(), Spec{Function: "square", InBytes: 16})
	if err != nil {
		t.Fatal(err)
	}
	text := d.Explain()
	if len(d.Candidates) != 2 {
		t.Fatalf("%s", text)
	}
	for _, e := range d.Candidates {
		if e.Samples == 0 || e.Rejected != "" || e.Exec.P50 < 3*time.Millisecond || e.Exec.P50 > 100*time.Millisecond {
			t.Errorf("%+v\n%s", e, text)
		}
	}
}

// TestReportTellsTheError as a metric, and decisions are counted by where they went.
func TestReportTellsTheError(t *testing.T) {
	nodes := cluster(t, withSquare(1), withSquare(1))
	n := nodes[0]
	before := sumOf(metricsOf(t, n)["filch_decisions_total"])
	for k := range 10 {
		d, err := n.Decide(t.Context(), Spec{Command: &Command{Argv: []string{"make"}}, Common: Common{Where: Where{Local: true}}})
		if err != nil || !d.Local {
			t.Fatalf("%+v, %v", d, err)
		}
		var failed error
		if k == 9 {
			failed = errors.New("failed")
		}
		n.Report(d, time.Second, failed)
	}
	n.Report(Decision{}, time.Second, nil) // of nobody
	m := metricsOf(t, n)
	if got := sumOf(m["filch_decisions_total"]) - before; got != 10 {
		t.Errorf("%v decisions are counted", got)
	}
	if got := sumOf(m["filch_decision_error_ratio"]); got <= 0 || got > 10 {
		t.Errorf("the error is %v", got)
	}
	d, err := n.Decide(t.Context(), Spec{Command: &Command{Argv: []string{"make"}}, Common: Common{Where: Where{Local: true}}})
	if d.Explain(); err != nil || d.Candidates[0].Exec.P50 < 500*time.Millisecond || d.Candidates[0].Exec.P50 > 2*time.Second {
		t.Errorf("a second each: %+v, %v", d.Candidates, err)
	}
}

// TestDataStayInTheirZone whatever it costs.
func TestDataStayInTheirZone(t *testing.T) {
	in := func(zone string) Config {
		c := withSquare(1)
		c.Labels = map[string]string{"zone": zone}
		return c
	}
	nodes := cluster(t, in("a"), in("b"), in("a"))
	for _, test := range []struct {
		zones []string
		want  int
	}{{[]string{"b"}, 1}, {[]string{"a"}, 2}, {[]string{"c"}, -1}} {
		d, err := nodes[0].Decide(t.Context(), Spec{Function: "square", Zones: test.zones, Common: Common{Where: Where{Avoid: []string{"n0"}}}})
		want := ""
		if test.want >= 0 {
			want = nodes[test.want].ID()
		}
		if err != nil || d.Target != want {
			t.Errorf("%v: %s, %v\n%s", test.zones, d.Target, err, d.Explain())
		}
	}
}

// TestManyDecideAtOnce, while tasks end and others read.
func TestManyDecideAtOnce(t *testing.T) {
	nodes := cluster(t, withSquare(2), withSquare(1))
	var all sync.WaitGroup
	for k := range 8 {
		all.Go(func() {
			for range 50 {
				began := time.Now()
				d, err := nodes[0].Decide(t.Context(), Spec{Function: "square", InBytes: int64(16 + k)})
				if err != nil {
					t.Error(err)
					return
				}
				nodes[0].Report(d, time.Since(began), nil)
				d.Explain()
			}
		})
	}
	j, err := nodes[0].SubmitCalls(t.Context(), squares(200, 2*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	checkSquares(t, j, 200)
	all.Wait()
}

// BenchmarkDecide is a decision of a node that knows a thousand others.
func BenchmarkDecide(b *testing.B) {
	n, err := Start(b.Context(), Config{Workers: 1, Functions: map[string]Function{"square": square}})
	if err != nil {
		b.Fatal(err)
	}
	defer n.Drain(context.Background())
	if _, err := n.Decide(b.Context(), Spec{Function: "square"}); err != nil {
		b.Fatal(err)
	}
	d := n.work.decider
	d.looked = 1 << 62 // never again: those to come are made up
	for k := range 999 {
		d.model.Update(cost.Peer{
			ID: fmt.Sprintf("peer-%d", k), Kinds: []task.Kind{task.KindFunc}, Knows: true, Cores: 1 + k%8, Machine: cost.Machine{Score: 0.5 + float64(k%7)/4},
			RTT: time.Duration(k%50) * time.Millisecond, Load: cost.Load{Heard: true, Free: k % 2, Queued: time.Duration(k%5) * time.Second, At: 1},
		})
	}
	s := Spec{Function: "square", InBytes: 1 << 16}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := n.Decide(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
}
