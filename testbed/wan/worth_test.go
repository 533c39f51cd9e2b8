//go:build linux

package wan

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/filchsched/filch/testbed/nodes"
	"github.com/filchsched/filch/testbed/spaces"
	"github.com/filchsched/filch/testbed/wan/line"
)

const (
	worthTasks = 400
	worthTakes = 50 * ms
	worthGoal  = 0.9
)

// roundsVariable is the environment's variable that says how many rounds of the figure.
const roundsVariable = "FILCH_WAN_ROUNDS"

// TestFarSitesAreWorthIt is the figure: 400 × 50 ms, all submitted on one of two sites at 40 ms of round trip, beside
// the same tasks dealt out by halves with nothing to steal, by turns. A node on each site, each with one core, on a CPU of its own; the tasks keep it
// busy. Times say nothing on a machine that has other work, so the goal is printed as met or missed, and fails nothing.
func TestFarSitesAreWorthIt(t *testing.T) {
	full := size(t)
	rounds, err := strconv.Atoi(os.Getenv(roundsVariable))
	if err != nil {
		rounds = 5
	}
	if !full {
		t.Skip("only with make wan")
	}
	spaces.Isolated(t, whole, func(t *testing.T, programs []string) {
		r := build(t, programs[0], line.Shape{Delay: 20 * ms}, false)
		var of []float64
		for cpu, site := range []string{west, east} {
			r.add(t, site, 1, "taskset", "-c", fmt.Sprint(cpu))
		}
		nodes.Assemble(t, r.all(), nil)
		for k := range rounds + 1 {
			var stolen, dealt time.Duration
			var by map[string]int
			sides := []func(){
				func() { by, stolen = run(t, r.west[0], spinning(worthTasks, false)) },
				func() { dealt = dealOut(t, r) },
			}
			sides[k%2]()
			sides[1-k%2]()
			if k == 0 {
				continue // a rehearsal
			}
			of = append(of, dealt.Seconds()/stolen.Seconds())
			t.Logf("round %d: submitted on one site %v (%v), dealt out %v: %.3f", k, stolen.Round(ms), by, dealt.Round(ms), of[k-1])
		}
		slices.Sort(of)
		verdict, median := "MISSED", of[len(of)/2]
		if median >= worthGoal {
			verdict = "met"
		}
		t.Logf("tasks ÷ cores is %v", worthTasks*worthTakes/2)
		t.Logf("%d × %v over two sites at 40 ms: %.3f [%.3f..%.3f] of the same dealt out beforehand (goal: ≥ %v): %s",
			worthTasks, worthTakes, median, of[0], of[len(of)-1], worthGoal, verdict)
	}, "../nodes/program")
}

func spinning(n int, local bool) nodes.Request {
	return nodes.Request{Takes: slices.Repeat([]time.Duration{worthTakes}, n), Spin: true, Local: local}
}

// dealOut has each site run half of the tasks, which nobody may steal.
func dealOut(t *testing.T, r *rig) time.Duration {
	t.Helper()
	begun := time.Now()
	var replies []<-chan nodes.Reply
	for _, p := range r.all() {
		replies = append(replies, p.Ask(t, spinning(worthTasks/2, true)))
	}
	for _, reply := range replies {
		if r, ok := <-reply; !ok || r.Error != "" || len(r.Ends) != worthTasks/2 {
			t.Fatalf("%+v", r)
		}
	}
	return time.Since(begun)
}
