package core

import (
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// slowLast has two peers run a job whose last task hangs at one of them, while the other
// has nothing to do any more.
func slowLast(t *testing.T, terms Terms) (w *concert, hangs PeerID) {
	w = newConcert(t, map[PeerID]int{"home": 0, "a": 1, "b": 1})
	w.members()
	w.pass(5 * time.Second)
	terms.Estimate = time.Second
	w.submit("home", 21, terms) // an odd number: the last one is not lent on
	for range 40 {
		w.pass(100 * time.Millisecond)
		if w.nodes["home"].jobOrder[0].committed == 20 {
			break
		}
		w.done("a", 100*time.Millisecond)
		if w.nodes["home"].jobOrder[0].committed < 20 {
			w.done("b", 100*time.Millisecond)
		}
	}
	if w.nodes["home"].jobOrder[0].committed != 20 {
		t.Fatalf("%d are committed", w.nodes["home"].jobOrder[0].committed)
	}
	w.sent = nil
	hangs = "a"
	if len(w.runs["b"]) > 0 {
		hangs = "b"
	}
	w.pass(10 * time.Second)
	return w, hangs
}

// TestSlowLastTaskIsHedged: by home itself, once, at the peer that waits.
func TestSlowLastTaskIsHedged(t *testing.T) {
	w, hangs := slowLast(t, Terms{})
	other := map[PeerID]PeerID{"a": "b", "b": "a"}[hangs]
	if len(w.runs[other]) != 1 || len(messages[Grant](w, "home", other)) != 1 {
		t.Fatalf("no second attempt at %s: %+v\n%v", other, w.runs, w)
	}
	w.done(other, 100*time.Millisecond)
	if !did[JobDone](w, "home") || !did[Halt](w, hangs) {
		t.Error("the second attempt's outcome does not end the job, or the first runs on")
	}
}

func TestCommandsAreNotHedged(t *testing.T) {
	if w, _ := slowLast(t, Terms{Kind: task.KindProc}); len(w.runs["a"])+len(w.runs["b"]) != 1 {
		t.Errorf("a second attempt at a command: %+v", w.runs)
	}
	if w, _ := slowLast(t, Terms{Kind: task.KindProc, Idempotent: true}); len(w.runs["a"])+len(w.runs["b"]) != 2 {
		t.Errorf("no second attempt at an idempotent command: %+v", w.runs)
	}
}

// TestHedgeIsNotAskedTwice: a peer that runs a task by way of another says so once.
func TestHedgeIsNotAskedTwice(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "a": 1, "b": 2})
	for range hedgeKnown {
		w.nodes["home"].est.learn("f", 100*time.Millisecond, 1)
	}
	w.nodes["a"].uplinkTo("home").window = 2
	w.submit("home", 2, Terms{Estimate: time.Second})
	w.know("a", "home", 0, time.Minute)
	w.pass(100 * time.Millisecond)
	w.know("b", "a", 0, time.Minute)
	w.pass(time.Second)
	if len(w.runs["a"]) != 1 || len(w.runs["b"]) != 1 {
		t.Fatalf("%+v", w.runs)
	}
	w.done("a", 100*time.Millisecond)
	w.members() // b lays its offer at home
	w.pass(30 * time.Second)
	if n := len(messages[Grant](w, "home", "b")); n != 1 {
		t.Errorf("%d hedges for one task that runs there", n)
	}
}

// TestAChunkIsStoppedWhenNothingOfItIsWanted: tasks that were started together, of which a second attempt has ended
// one already.
func TestAChunkIsStoppedWhenNothingOfItIsWanted(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "a": 1, "b": 1})
	for _, n := range w.nodes {
		for range hedgeKnown {
			n.est.learn("f", 10*time.Microsecond, 1)
		}
	}
	w.nodes["a"].uplinkTo("home").window = 64
	w.step("home", Tick{})
	w.submit("home", 64, Terms{})
	w.know("a", "home", 0, time.Minute)
	w.pass(time.Second / 2)
	w.members()
	w.pass(10 * time.Second)
	if len(w.runs["a"]) != 1 || len(w.runs["b"]) != 1 || w.runs["b"][0].Piece.Len() != 1 {
		t.Fatalf("runs %+v", w.runs)
	}
	w.done("b", 10*time.Microsecond)
	if did[Halt](w, "a") {
		t.Fatal("63 tasks are stopped that are wanted")
	}
	w.step("home", CancelJob{w.nodes["home"].jobOrder[0].id})
	w.settle()
	if !did[Halt](w, "a") {
		t.Error("the job is cancelled, and runs on")
	}
}
