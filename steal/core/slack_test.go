package core

import (
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// TestSlackIsUsed: a core that a run leaves to nobody takes other own work, and only as long as it is slack.
func TestSlackIsUsed(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 2})
	w.submit("home", 10, Terms{Estimate: time.Second})
	running := func(want int) {
		t.Helper()
		if n := len(w.runs["home"]); n != want {
			t.Fatalf("%d run, want %d", n, want)
		}
	}
	running(2)
	w.step("home", Slack{1})
	running(3)
	w.step("home", Slack{1}) // told twice, it is still the same core
	running(3)
	w.step("home", Slack{0})
	w.step("home", Slack{2})
	running(4)
	w.step("home", Slack{0})
	first := w.runs["home"][0]
	w.step("home", Finished{Piece: first.Piece, State: task.Done, Ran: time.Second})
	running(4) // three run on two cores
}

// TestSlackIsNoMoreThanWhatIsBusy, whatever is told, and ends with what was busy.
func TestSlackIsNoMoreThanWhatIsBusy(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 2})
	home := w.nodes["home"]
	w.step("home", Slack{5})
	w.submit("home", 10, Terms{Estimate: time.Second})
	if n := len(w.runs["home"]); n != 2 {
		t.Fatalf("%d run on 2 cores", n)
	}
	w.step("home", Slack{-3})
	w.step("home", Slack{1 << 40})
	if n := len(w.runs["home"]); n != 4 || home.free() != 0 {
		t.Fatalf("%d run, %d cores are free, where both that ran wait", n, home.free())
	}
	for len(w.runs["home"]) > 0 {
		w.done("home", time.Second)
	}
	if home.busy != 0 || home.slack != 0 || home.free() != 2 {
		t.Errorf("busy %d, slack %d, free %d at the end", home.busy, home.slack, home.free())
	}
}

// TestOnlyChildrenStartBeyondTheBound: runs that wait and start others in their place cannot pile up; what they wait
// for starts all the same, before other own work.
func TestOnlyChildrenStartBeyondTheBound(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 1})
	home := w.nodes["home"]
	w.submit("home", 1000, Terms{Estimate: time.Second})
	for range 5 * maxLent {
		w.step("home", Slack{len(w.runs["home"])}) // all of them wait
	}
	if n := len(w.runs["home"]); n != 1+maxLent {
		t.Fatalf("%d runs that wait were started, want %d", n, 1+maxLent)
	}
	if home.free() != 0 || home.room() != 0 {
		t.Errorf("peers are told of %d free cores and %d tasks of room", home.free(), home.room())
	}
	before := len(w.runs["home"])
	w.step("home", Submit{Ref: 2, Terms: Terms{Name: "child", Kind: task.KindFunc, Estimate: time.Second, Child: true}, N: 3})
	for k := 1; k <= 3; k++ {
		if n := len(w.runs["home"]) - before; n != k || !w.runs["home"][before+k-1].Terms.Child {
			t.Fatalf("%d children run after %d steps", n, k)
		}
		w.step("home", Slack{len(w.runs["home"])})
	}
}

// TestChildrenGoFirst where an ordinary core is free, too.
func TestChildrenGoFirst(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 1})
	w.submit("home", 1000, Terms{Estimate: time.Second})
	w.step("home", Submit{Ref: 2, Terms: Terms{Name: "child", Kind: task.KindFunc, Estimate: time.Second, Child: true}, N: 3})
	for range 3 {
		w.done("home", time.Second)
		if r := w.runs["home"]; len(r) != 1 || !r[0].Terms.Child {
			t.Fatalf("%+v runs", r)
		}
	}
}

// TestAWideChildStartsWhereAllElseWaits: it would wait for its parent to end, and the parent for it.
func TestAWideChildStartsWhereAllElseWaits(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 1})
	w.submit("home", 1, Terms{Estimate: time.Second})
	w.step("home", Submit{Ref: 2, Terms: Terms{Name: "child", Kind: task.KindFunc, Child: true, Needs: task.Resources{Cores: 3}}, N: 1})
	w.step("home", Slack{1})
	if n := len(w.runs["home"]); n != 2 {
		t.Errorf("%d run", n)
	}
}

// TestHeldChildrenStartBeyondTheBound: two nodes whose runs wait for each other's children go on.
func TestHeldChildrenStartBeyondTheBound(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 1, "thief": 1})
	w.members()
	w.pass(10 * time.Second)
	w.submit("home", 2, Terms{Name: "child", Child: true, Estimate: time.Second})
	w.settle()
	if len(w.runs["home"]) != 1 || len(w.runs["thief"]) != 1 {
		t.Fatal("not spread")
	}
	thief := w.nodes["thief"]
	w.done("thief", time.Second)
	w.step("thief", Submit{Ref: 1, Terms: Terms{Name: "f", Kind: task.KindFunc, Estimate: time.Second, Where: Where{Local: true}}, N: 1000})
	for range 5 * maxLent {
		w.step("thief", Slack{len(w.runs["thief"])})
	}
	if !thief.overlent() {
		t.Fatal("not at the bound")
	}
	u, before := thief.ups["home"], len(w.runs["thief"])
	home := w.nodes["home"]
	j := home.jobOrder[0]
	w.step("home", Extend{Job: j.id, N: 1})
	d := home.downs["thief"]
	span := Span{2, 3}
	a := home.issue(j)
	home.out = nil
	home.countHold(j, span)
	home.grant(d, 0, []Part{{Piece: Piece{j.id, span, a}, Terms: j.terms, Warrant: home.issueWarrant(j.id, span, a, "thief"), Depth: 1}}, []hold{{Span: span, attempt: a}}, 0)
	home.flush()
	for _, e := range home.out {
		if s, ok := e.(Send); ok {
			w.wire = append(w.wire, flight{"home", s.To, s.Up, s.Frame})
		}
	}
	w.settle()
	w.pass(BeatEvery)
	if n := len(w.runs["thief"]) - before; n != 1 || !w.runs["thief"][before].Terms.Child {
		t.Errorf("%d children of a peer were started beyond the bound; %d wait", n, u.unstarted())
	}
}

// TestAChildGoesToWhomWaitsAtOnce, though its estimate says that it would be done here sooner.
func TestAChildGoesToWhomWaitsAtOnce(t *testing.T) {
	for _, child := range []bool{true, false} {
		w := newConcert(t, map[PeerID]int{"home": 1, "thief": 1})
		w.members()
		w.pass(10 * time.Second)
		w.submit("home", 1, Terms{Name: "parent", Estimate: time.Second, Where: Where{Local: true}})
		w.settle()
		w.nodes["home"].ups["thief"].rtt = 10 * time.Millisecond
		w.step("home", Submit{Ref: 2, Terms: Terms{Name: "child", Kind: task.KindFunc, Estimate: 100 * time.Microsecond, Child: child}, N: 1})
		w.settle()
		if n := len(w.runs["thief"]); (n == 1) != child {
			t.Errorf("child %v: %d run at the thief", child, n)
		}
	}
}
