package core

import (
	"slices"
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// TestCancelOfASpan: what has no outcome in it is cancelled wherever it is, and the rest of the job goes on.
func TestCancelOfASpan(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 1, "thief": 2})
	w.members()
	w.pass(10 * time.Second)
	w.submit("home", 10, Terms{Estimate: time.Second, Kind: task.KindProc})
	w.settle()
	home := w.nodes["home"]
	j := home.jobOrder[0]
	if len(w.runs["home"]) != 1 || len(w.runs["thief"]) == 0 {
		t.Fatal("not spread")
	}
	late := w.runs["thief"][0].Piece
	if late.Lo >= 5 {
		t.Fatal("the thief has none of the first half")
	}
	for range 2 { // twice is once
		w.step("home", CancelTasks{j.id, Span{0, 5}})
	}
	sent := len(w.sent)
	w.settle()
	cancelled := Spans[bool]{}
	for _, e := range w.did["home"] {
		if c, ok := e.(Commit); ok && c.State == task.Cancelled {
			cancelled.Set(c.Piece.Span, true)
		}
	}
	if cancelled.Len() != 5 || j.committed != 5 || j.cancelled {
		t.Fatalf("%d tasks were cancelled, %d are committed", cancelled.Len(), j.committed)
	}
	if !slices.ContainsFunc(w.did["thief"], func(e Effect) bool { h, ok := e.(Halt); return ok && h.Piece == late }) {
		t.Error("the thief does not stop what nobody wants")
	}
	if !slices.ContainsFunc(home.Explain(j.id, 3), func(s string) bool { return len(s) > 0 }) {
		t.Error("no story")
	}
	// What comes all the same is counted and dropped.
	w.step("thief", Finished{Piece: late, State: task.Done, Ran: time.Second})
	w.settle()
	if home.Stats().DuplicateOutcomes == 0 {
		t.Error("a late outcome was not counted")
	}
	for n := 0; j.committed < 10 && n < 100; n++ {
		for _, id := range []PeerID{"home", "thief"} {
			runs := w.runs[id]
			w.runs[id] = nil
			for _, r := range runs {
				state := task.Done
				if r.Piece.Lo < 5 {
					state = task.Cancelled
				}
				w.step(id, Finished{Piece: r.Piece, State: state, Ran: time.Second})
			}
			w.settle()
		}
		w.pass(time.Second)
	}
	if j.committed != 10 || !j.done {
		t.Errorf("%d of 10 are committed", j.committed)
	}
	for _, f := range w.sent[sent:] {
		if g, ok := f.frame.Msg.(Grant); ok {
			for _, p := range g.Parts {
				if p.Lo < 5 {
					t.Errorf("%v is granted after its cancel", p.Piece)
				}
			}
		}
	}
}

// TestCancelOfNothing: spans and jobs that do not exist are no reason to fail.
func TestCancelOfNothing(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0})
	w.submit("home", 3, Terms{})
	j := w.nodes["home"].jobOrder[0]
	w.did["home"] = nil
	w.step("home", CancelTasks{JobID{"home", 99}, Span{0, 3}})
	w.step("home", CancelTasks{j.id, Span{3, 9}})
	w.step("home", CancelTasks{j.id, Span{2, 1}})
	w.step("home", CancelTasks{j.id, Span{1, 1}})
	if j.committed != 0 {
		t.Errorf("%d were cancelled", j.committed)
	}
	w.step("home", CancelTasks{j.id, Span{2, 1 << 63}})
	if j.committed != 1 || j.n != 3 {
		t.Errorf("%d of %d are committed, want 1 of 3", j.committed, j.n)
	}
}
