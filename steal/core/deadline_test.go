package core

import (
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// TestNothingStartsAfterItsLease: a process that was frozen hears of a free core before its timers have fired.
func TestNothingStartsAfterItsLease(t *testing.T) {
	for _, kind := range []task.Kind{task.KindProc, task.KindFunc} {
		w := newConcert(t, map[PeerID]int{"home": 0, "thief": 1})
		w.members()
		w.nodes["thief"].uplinkTo("home").window = 2
		w.submit("home", 2, Terms{Kind: kind, Estimate: 100 * time.Millisecond})
		w.pass(5 * time.Second)
		if n := w.nodes["thief"].ups["home"].unstarted(); n != 1 || len(w.runs["thief"]) != 1 {
			t.Fatalf("%v: %d wait, %d run", kind, n, len(w.runs["thief"]))
		}
		first := w.runs["thief"][0].Piece
		w.now += HolderTTL + time.Second
		w.step("thief", Finished{Piece: first, State: task.Done, Ran: time.Second})
		if n := len(w.runs["thief"]); n != 1 {
			t.Errorf("%v: another starts after the lease", kind)
		}
	}
}

// TestDeadlinesNest: what a middle lends on does not outlive its own lease, however often the thief beats.
func TestDeadlinesNest(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "middle": 1, "thief": 1})
	w.nodes["middle"].uplinkTo("home").window = 3
	w.submit("home", 3, Terms{Kind: task.KindProc, Estimate: 100 * time.Millisecond})
	w.know("middle", "home", 0, time.Minute)
	w.pass(time.Second)
	w.know("thief", "middle", 0, time.Minute)
	w.pass(2 * time.Second)
	if len(w.runs["middle"]) != 1 || len(w.runs["thief"]) != 1 {
		t.Fatalf("%+v", w.runs)
	}
	w.deaf["home"] = true
	lent := w.nodes["thief"].ups["middle"].order[0].slots[0].lane
	own := w.nodes["middle"].ups["home"].lanes[0]
	for end := own.until; w.now < end-200*time.Millisecond; w.pass(200 * time.Millisecond) {
		if lent.until > end {
			t.Fatalf("the lease of what was lent on outlives the middle's by %v", lent.until-end)
		}
	}
}

// TestWhoGaveUpComesBackAsNew: it does not know any more what it ran, so that its grantor waits for the old
// lease before it grants commands again.
func TestWhoGaveUpComesBackAsNew(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "thief": 1})
	w.members()
	w.pass(5 * time.Second)
	w.submit("home", 1, Terms{Kind: task.KindProc})
	w.pass(time.Second)
	thief := w.nodes["thief"]
	before := len(messages[Hello](w, "thief", "home"))
	thief.abandon(thief.ups["home"])
	thief.offerTo("home", true)
	w.pass(time.Second)
	if len(messages[Hello](w, "thief", "home")) == before {
		t.Fatal("it does not come back")
	}
	if st, _ := w.nodes["home"].jobOrder[0].state.Get(0); st != taskHeld || len(messages[Grant](w, "home", "thief")) != 1 {
		t.Error("the command is granted again before the old lease is over")
	}
}
