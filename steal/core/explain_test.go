package core

import (
	"fmt"
	"slices"
	"testing"
	"time"
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
		first.Lines[0].Choice.There <= 0 || first.Lines[0].Choice.Age < time.Second {
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
	if len(s.Attempts) != 1 || len(s.Waits) != 1 || !slices.ContainsFunc(s.Refusals, func(r RefusalCount) bool { return r.Peer == "peer" && r.Reason == reasonOn }) {
		t.Errorf("%+v", s)
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
