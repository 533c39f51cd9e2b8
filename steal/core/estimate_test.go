package core

import (
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// TestEstimatesAreBounded: a peer may say what it likes of how long its tasks take, how many cores they need, and how
// long others' took; a bag may be of any size. Whoever believes it goes on.
func TestEstimatesAreBounded(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "thief": 4})
	w.members()
	w.pass(5 * time.Second)
	for range 8 {
		w.submit("home", 1, Terms{Name: "long", Estimate: 1 << 62})
		w.submit("home", 1, Terms{Name: "wide", Estimate: 1 << 62, Needs: task.Resources{Cores: 1 << 31}})
	}
	for range 40 {
		w.pass(time.Second)
		w.done("thief", 1<<62)
	}
	if n := len(w.nodes["home"].jobOrder); n != 16 {
		t.Fatalf("%d jobs", n)
	}
	for _, j := range w.nodes["home"].jobOrder {
		if !j.done {
			t.Errorf("%v is not done", j.id)
		}
	}
}

// TestABagOfAnySizeIsSurplus: a sum that does not fit into a number would say that there is nothing to steal.
func TestABagOfAnySizeIsSurplus(t *testing.T) {
	for _, each := range []time.Duration{time.Nanosecond, time.Second, 10 * time.Minute, 3 * time.Hour, 100 * time.Hour, 1 << 62} {
		c := New(Config{ID: "home", Incarnation: 1, Check: true}, 0)
		c.Step(0, Submit{Ref: 1, Terms: Terms{Name: "f", Kind: task.KindProc, Estimate: each}, N: 1 << 50})
		c.Step(0, Submit{Ref: 2, Terms: Terms{Name: "f", Kind: task.KindProc, Estimate: each}, N: 1 << 50})
		_, sum, stays := c.surplus()
		if sum < each/2 && sum < time.Hour || sum > maxWork || stays < 0 || stays > sum {
			t.Errorf("tasks of %v: a surplus of %v, of which %v may start here", each, sum, stays)
		}
		c.Step(0, Submit{Ref: 2, Terms: Terms{Name: "f", Kind: task.KindProc, Estimate: each}, N: 3})
		if _, again, _ := c.surplus(); again < sum {
			t.Errorf("tasks of %v: three more make a surplus of %v of %v", each, again, sum)
		}
	}
}
