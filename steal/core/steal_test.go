package core

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// TestVictimKeepsHalf: at most half of the surplus in estimated time, rounded up.
func TestVictimKeepsHalf(t *testing.T) {
	for _, test := range []struct{ queued, given int }{{1, 1}, {2, 1}, {3, 2}, {10, 5}, {11, 6}} {
		w := newConcert(t, map[PeerID]int{"home": 1, "thief": 64})
		w.step("home", Tick{})
		w.submit("home", uint64(test.queued)+1, Terms{Estimate: 10 * time.Millisecond}) // one of them starts
		w.know("thief", "home", 0, time.Second)
		w.pass(time.Millisecond)
		grants := messages[Grant](w, "home", "thief")
		if len(grants) == 0 {
			t.Fatalf("%d queued: nothing was granted\n%v", test.queued, w)
		}
		given := 0
		for _, p := range grants[0].Parts {
			given += int(p.Len())
		}
		if given != test.given {
			t.Errorf("%d queued: %d given, want %d", test.queued, given, test.given)
		}
	}
}

// TestSlowStart: one task per free core at first, then as many more as come back.
func TestSlowStart(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "thief": 2})
	w.step("home", Tick{})
	w.submit("home", 1000, Terms{Estimate: 60 * time.Millisecond})
	w.know("thief", "home", 0, time.Minute)
	w.pass(time.Millisecond)
	if n := len(w.runs["thief"]); n != 2 {
		t.Fatalf("%d tasks run at first, want one for each of 2 cores", n)
	}
	asked := uint32(0)
	for range 6 {
		w.pass(60 * time.Millisecond)
		w.done("thief", 60*time.Millisecond)
		w.know("thief", "home", 0, time.Minute)
		w.pass(time.Millisecond)
		offers := messages[Offer](w, "thief", "home")
		n := offers[len(offers)-1].Tasks
		if n < asked || asked > 0 && n > 2*asked+2 {
			t.Errorf("asks for %d after %d", n, asked)
		}
		asked = n
	}
	if asked < 8 {
		t.Errorf("asks for %d after six rounds", asked)
	}
}

// TestStandingOfferIsAnsweredAtOnce: work that appears at a lifeline is granted in
// the same step, and starts when the grant arrives, without another round trip.
func TestStandingOfferIsAnsweredAtOnce(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "thief": 1})
	w.members()
	w.pass(5 * time.Second)
	w.sent = nil
	w.submit("home", 4, Terms{})
	if len(messages[Grant](w, "home", "thief")) != 1 {
		t.Fatalf("no grant in the step in which the work appeared\n%v", w)
	}
	w.settle()
	if len(w.runs["thief"]) != 1 {
		t.Fatalf("the thief does not run it: it has no lease ready\n%v", w)
	}
}

// TestFirstAnswerConsumesTheOffer: the others are told, and what they grant
// meanwhile is handed back.
func TestFirstAnswerConsumesTheOffer(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"a": 0, "b": 0, "thief": 1})
	w.members()
	w.pass(5 * time.Second)
	w.deaf["b"] = true
	w.submit("a", 1, Terms{Estimate: time.Minute})
	w.settle() // the thief has work, and its withdrawal is under way to b
	if len(messages[Withdraw](w, "thief", "b")) != 1 {
		t.Fatalf("the offer at b is not withdrawn\n%v", w)
	}
	w.submit("b", 1, Terms{Estimate: time.Minute})
	w.deaf["b"] = false
	w.settle()
	if n := len(w.runs["thief"]); n != 1 {
		t.Fatalf("%d tasks run on one core", n)
	}
	ends := messages[Report](w, "thief", "b")
	if len(ends) != 1 || len(ends[0].Ends) != 1 || ends[0].Ends[0].Kind != EndReturned {
		t.Fatalf("what b granted is not handed back: %+v", ends)
	}
}

// TestLifelinesReachEverybody: from any member to any other in few hops.
func TestLifelinesReachEverybody(t *testing.T) {
	for _, n := range []int{2, 3, 7, 20, 64, 1000} {
		var list []Member
		for k := range n {
			list = append(list, Member{Peer: PeerID(fmt.Sprintf("p%04d", k)), Place: fmt.Sprintf("rack%02d", k/40)})
		}
		next := make(map[PeerID][]PeerID)
		near := 0
		for _, m := range list {
			c := New(Config{ID: m.Peer, Incarnation: 1}, 0)
			c.Step(0, Members{list})
			next[m.Peer] = c.thief.lifelines
			var a, b int
			fmt.Sscanf(string(m.Peer), "p%d", &a)
			fmt.Sscanf(string(c.thief.lifelines[0]), "p%d", &b)
			if a/40 == b/40 {
				near++
			}
		}
		depth := map[PeerID]int{list[0].Peer: 0}
		queue := []PeerID{list[0].Peer}
		most := 0
		for len(queue) > 0 {
			p := queue[0]
			queue = queue[1:]
			for _, q := range next[p] {
				if _, ok := depth[q]; !ok {
					depth[q] = depth[p] + 1
					most = max(most, depth[q])
					queue = append(queue, q)
				}
			}
		}
		if len(depth) != n {
			t.Errorf("%d members: %d are reached", n, len(depth))
		}
		if most > 20 {
			t.Errorf("%d members: the farthest is %d hops away", n, most)
		}
		if near*10 < n*8 {
			t.Errorf("%d members: only %d have a lifeline in their own rack", n, near)
		}
	}
}

// TestNearestLevelFirst: a far peer is not asked while a near one has surplus.
func TestNearestLevelFirst(t *testing.T) {
	for seed := range uint64(50) {
		c := New(Config{ID: "me", Incarnation: 1, Cores: 1, Seed: seed}, 0)
		c.thief.believe(0, []Candidate{{Peer: "far", Level: 5, Surplus: time.Hour}, {Peer: "near", Level: 2, Surplus: time.Second}, {Peer: "none", Level: 0}})
		if b, ok := c.thief.pick(c); !ok || b.Peer != "near" {
			t.Fatalf("seed %d: picks %q", seed, b.Peer)
		}
	}
}

// TestBrokenPeerIsShunned: longer each time, never for ever.
func TestBrokenPeerIsShunned(t *testing.T) {
	c := New(Config{ID: "me", Incarnation: 1, Cores: 1}, 0)
	var last time.Duration
	for range 12 {
		c.thief.avoid(c, "p", reasonSilent)
		last = c.thief.shuns[0].until - c.now
		if !c.thief.shunned(c.now, "p") {
			t.Fatal("not shunned")
		}
		c.now += last
		if c.thief.shunned(c.now, "p") {
			t.Fatal("shunned for ever")
		}
	}
	if last < time.Second || last > 10*time.Second {
		t.Errorf("the twelfth time for %v", last)
	}
}

// TestWorkGoesBackToWhoLentIt: home asks its holder, and gets its own tasks back
// uncharged instead of a sub-grant.
func TestWorkGoesBackToWhoLentIt(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "thief": 1})
	w.members()
	w.pass(5 * time.Second)
	w.nodes["thief"].uplinkTo("home").window = 100
	w.submit("home", 40, Terms{Estimate: time.Millisecond})
	w.settle()
	before := w.nodes["thief"].Held()
	w.step("home", Resize{Cores: 4})
	w.know("home", "thief", 0, time.Second)
	w.pass(100 * time.Millisecond)
	if after := w.nodes["thief"].Held(); after >= before || len(messages[Grant](w, "thief", "home")) > 0 {
		t.Errorf("the thief held %d, and holds %d\n%v", before, after, w)
	}
}

func TestEstimatesFindMeanAndP90(t *testing.T) {
	var e estimates
	e.init()
	for k := range 20000 {
		e.learn("f", time.Duration(k*7919%1000)*time.Millisecond, 1)
	}
	s := e.by["f"]
	if s.mean < 300*time.Millisecond || s.mean > 700*time.Millisecond {
		t.Errorf("mean %v of times evenly between 0 and 1 s", s.mean)
	}
	if s.p90 < 750*time.Millisecond || s.p90 > time.Second+100*time.Millisecond {
		t.Errorf("p90 %v of times evenly between 0 and 1 s", s.p90)
	}
	if d := e.of(&Terms{Name: "g", Estimate: time.Minute}); d != time.Minute {
		t.Errorf("home's estimate is not taken: %v", d)
	}
}

// TestRangeIsFewRecords: a bag of a million indices is one record at first, and
// some hundred while it is worked at.
func TestRangeIsFewRecords(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "a": 4, "b": 4})
	for _, c := range w.nodes {
		c.cfg.Check = false
	}
	w.members()
	w.pass(5 * time.Second)
	w.submit("home", 1e6, Terms{Estimate: 10 * time.Microsecond, Kind: task.KindFunc})
	w.settle()
	most, ended := 0, 0
	for round := 0; round < 400; round++ {
		ended += w.done("a", 10*time.Microsecond) + w.done("b", 10*time.Microsecond)
		w.know("a", "home", 0, time.Second)
		w.know("b", "home", 0, time.Second)
		w.settle()
		if round%20 == 0 {
			w.pass(100 * time.Millisecond)
		}
		j := w.nodes["home"].jobOrder[0]
		most = max(most, len(slices.Collect(j.state.Runs()))+len(slices.Collect(j.holds.Runs())))
	}
	if ended < 50000 {
		t.Errorf("only %d tasks ended in 400 rounds", ended)
	}
	if most > 500 {
		t.Errorf("%d records at home", most)
	}
}

// TestStandingOfferSaysThatACoreIsFree: an offer that was laid while no core was free is laid anew
// when one is, so that who has little does not keep it for itself.
func TestStandingOfferSaysThatACoreIsFree(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "thief": 1})
	w.members()
	w.pass(5 * time.Second)
	w.submit("home", 1, Terms{Estimate: 10 * time.Millisecond})
	w.pass(2 * time.Second) // it runs, and another one is asked for ahead
	w.sent = nil
	w.done("thief", 10*time.Millisecond)
	w.pass(2 * time.Second)
	var last Offer
	for _, o := range messages[Offer](w, "thief", "home") {
		last = o
	}
	if !last.Standing || last.Cores != 1 {
		t.Errorf("its last offer is %+v", last)
	}
}
