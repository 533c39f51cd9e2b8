package core

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// TestExplainTaskTellsWhoAndWhy: every refusal by peer, what a grant rested on, and
// why a task waits.
func TestExplainTaskTellsWhoAndWhy(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "a": 1, "b": 1})
	w.step("home", Members{[]Member{{Peer: "home"}, {Peer: "a", Level: 3, RTT: 4 * time.Millisecond}, {Peer: "b", Level: 5}}})
	w.members()
	w.step("home", Members{[]Member{{Peer: "home"}, {Peer: "a", Level: 3, RTT: 4 * time.Millisecond}, {Peer: "b", Level: 5}}})
	w.pass(5 * time.Second)
	w.submit("home", 4, Terms{Where: Where{Avoid: []PeerID{"b"}}, Estimate: time.Second})
	w.pass(time.Second)
	home := w.nodes["home"]
	id := home.jobOrder[0].id
	first := home.ExplainTask(id, 0)
	if first.State != "held" || len(first.Attempts) != 1 || first.Attempts[0].Peer != "a" {
		t.Errorf("of the first: %+v", first)
	}
	if len(first.Lines) != 1 || first.Lines[0].Choice.Level != 3 || first.Lines[0].Choice.Task != time.Second || first.Lines[0].Choice.Here < time.Second ||
		first.Lines[0].Choice.There() <= 0 || first.Lines[0].Choice.Return < 2*time.Millisecond || first.Lines[0].Choice.Age < time.Second {
		t.Errorf("why a: %+v", first.Lines)
	}
	last := home.ExplainTask(id, 3)
	if last.State != "queued" || len(last.Waits) < 2 {
		t.Errorf("of the last: %+v", last)
	}
	if !slices.ContainsFunc(last.Refusals, func(r RefusalCount) bool { return r.Peer == "b" && r.Reason == reasonAvoid && r.Tasks > 0 }) {
		t.Errorf("who is refused: %+v", last.Refusals)
	}
	home.Step(w.now, PauseJob{Job: id, On: true})
	if p := home.ExplainTask(id, 3); !slices.Equal(p.Waits, []string{reasonPaused}) {
		t.Errorf("paused: %+v", p.Waits)
	}
	if s := w.nodes["a"].ExplainTask(id, 0); s.Home || len(s.Attempts) != 1 || s.Attempts[0].State != "running" {
		t.Errorf("where it runs: %+v", s)
	}
}

// TestANodeExplainsWhatItHoldsForAGuest, who did not want it, and why it waits.
func TestANodeExplainsWhatItHoldsForAGuest(t *testing.T) {
	w := visit(t, 1, map[PeerID]int{"peer": 1})
	w.submit("guest", 5, Terms{Where: Where{On: []PeerID{"elsewhere"}}})
	w.pass(2 * time.Second)
	s := w.nodes["node"].ExplainTask(w.nodes["guest"].jobOrder[0].id, 2)
	if len(s.Attempts) != 1 || len(s.Waits) != 2 || s.Waits[0] != "not here: "+reasonOn || !slices.ContainsFunc(s.Refusals, func(r RefusalCount) bool { return r.Peer == "peer" && r.Reason == reasonOn }) {
		t.Errorf("%+v", s)
	}
}

// TestANodeExplainsWhyAGuestsTaskWaits: for a core, for the guest's own bound, for peers.
func TestANodeExplainsWhyAGuestsTaskWaits(t *testing.T) {
	w := visit(t, 1, nil)
	w.submit("guest", 3, Terms{})
	w.pass(2 * time.Second)
	id := w.nodes["guest"].jobOrder[0].id
	if s := w.nodes["node"].ExplainTask(id, 2); !slices.Equal(s.Waits, []string{"1 of the 1 cores here are in use", "no peer offers room"}) {
		t.Errorf("%q", s.Waits)
	}
	w.step("node", Resize{2})
	w.step("node", Guest{Peer: "guest", Here: true, Jobs: 2})
	w.step("node", Resize{3})
	if s := w.nodes["node"].ExplainTask(id, 2); !slices.Equal(s.Waits, []string{"2 of the run's tasks run here, as many as it asked for", "no peer offers room"}) {
		t.Errorf("%q", s.Waits)
	}
	if s := w.nodes["node"].ExplainTask(id, 0); len(s.Waits) > 0 || s.Attempts[0].State != "running" {
		t.Errorf("%+v", s)
	}
}

// TestANodeRemembersWhatItLentOn: of a guest's task, after it has ended, to whom it went, why, and what came
// of it; and it counts for whom others took how much.
func TestANodeRemembersWhatItLentOn(t *testing.T) {
	w := visit(t, 1, map[PeerID]int{"peer": 1})
	w.submit("guest", 6, Terms{Kind: task.KindProc, Estimate: time.Second})
	id := w.nodes["guest"].jobOrder[0].id
	for !did[JobDone](w, "guest") {
		w.pass(time.Second)
		w.atHome(time.Second)
		w.done("peer", time.Second)
	}
	w.step("node", Guest{Peer: "guest"})
	w.settle()
	lent := uint64(0)
	for i := range uint64(6) {
		s := w.nodes["node"].ExplainTask(id, i)
		if len(s.Attempts) > 0 || s.Home {
			t.Errorf("%d: %+v", i, s)
		}
		if len(s.Lines) == 0 {
			continue
		}
		lent++
		first, last := s.Lines[0], s.Lines[len(s.Lines)-1]
		if first.What != "lent on to" || first.Peer != "peer" || first.Choice.Task == 0 || last.What != "ended at" || last.Why != "with its outcome" {
			t.Errorf("%d: %+v", i, s.Lines)
		}
	}
	given := w.nodes["node"].Given()
	if lent == 0 || len(given) != 1 || given[0].To != "peer" || given[0].Home != "guest" || given[0].Tasks != lent || given[0].Ran != time.Duration(lent)*time.Second {
		t.Errorf("%d were lent on, counted are %+v", lent, given)
	}
}

// TestPassingIsBounded: the jobs that were here longest ago are forgotten, before those that are here still.
func TestPassingIsBounded(t *testing.T) {
	var p passing
	var g given
	for k := range uint64(3000) {
		p.of(JobID{Seq: k}, func(id JobID) bool { return id.Seq == 7 }).tell(0, entry{})
		g.count(1, "peer", &Outcome{Piece: Piece{Job: JobID{Home: PeerID(fmt.Sprint("run", k))}, Span: Span{0, 2}}})
	}
	sum := uint64(0)
	for _, n := range g.by {
		sum += n.Tasks
	}
	if len(p.by) != maxPassing || len(p.order) != maxPassing || p.by[JobID{Seq: 2999}] == nil || p.by[JobID{Seq: 7}] == nil || len(g.by) > maxGiven+1 || sum != 6000 || g.by[givenKey{"peer", "run2999"}] == nil {
		t.Errorf("%d stories, %d counts of %d tasks", len(p.by), len(g.by), sum)
	}
}

func TestStealsAreCountedByVictim(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "thief": 2})
	w.members()
	w.pass(5 * time.Second)
	w.submit("home", 2, Terms{})
	w.settle()
	w.done("thief", time.Second)
	w.know("thief", "home", 2, time.Second)
	w.pass(3 * time.Second)
	s := w.nodes["thief"].Steals()
	if len(s) != 1 || s[0].From != "home" || s[0].To != "thief" || s[0].Tasks != 2 || s[0].Grants < 1 || s[0].Failed[reasonNoSurplus] != 1 {
		t.Errorf("%+v", s)
	}
}

// TestCountsAreBounded: reasons and names are the peers' words.
func TestCountsAreBounded(t *testing.T) {
	var r refusals
	var s steals
	for k := range 5000 {
		p, reason := PeerID(fmt.Sprint("p", k)), fmt.Sprint("reason ", k)
		r.count(p, reason, 1)
		s.failed(p, 0, reason)
		s.failed("p0", 0, reason)
	}
	sum := uint64(0)
	for _, n := range r.list() {
		sum += n.Tasks
	}
	if len(r.by) > 2*maxRefusalKeys+1 || sum != 5000 {
		t.Errorf("%d refusals in %d counts", sum, len(r.by))
	}
	if len(s.by) > maxStealPeers+1 || len(s.by["p0"].Failed) > maxFailReasons+1 || len(s.by[""].Failed) > maxFailReasons+1 {
		t.Errorf("%d peers, %d reasons", len(s.by), len(s.by["p0"].Failed))
	}
}
