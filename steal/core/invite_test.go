package core

import (
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// TestWhoFitsIsInvited: a home that cannot run its work invites members that may,
// few at a time, and less and less often.
func TestWhoFitsIsInvited(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "far": 2, "wrong": 2})
	list := []Member{{Peer: "home"}, {Peer: "far", Kinds: []task.Kind{task.KindFunc}, Cores: 2}, {Peer: "wrong", Kinds: []task.Kind{task.KindProc}, Cores: 2}}
	for _, id := range w.order {
		w.step(id, Members{list})
		w.nodes[id].thief.withdraw(w.nodes[id])
		w.nodes[id].thief.lifelines = nil // nobody's offer waits anywhere
	}
	w.deaf["far"] = true
	w.submit("home", 2, Terms{})
	w.pass(time.Minute)
	n := len(messages[Invite](w, "home", "far"))
	if n < 3 || n > 20 || len(messages[Invite](w, "home", "wrong")) > 0 {
		t.Fatalf("%d invitations in a minute, and %d to who does not fit", n, len(messages[Invite](w, "home", "wrong")))
	}
	w.deaf["far"] = false
	w.pass(15 * time.Second) // it has been shunning who was silent to it
	if len(w.runs["far"]) != 2 {
		t.Errorf("who is invited does not come: %+v", w.runs)
	}
	w.sent = nil
	w.done("far", time.Second)
	w.pass(time.Minute)
	if n := len(messages[Invite](w, "home", "far")); n > 0 {
		t.Errorf("%d invitations to nothing", n)
	}
}

// TestInvitationIsNotOutbid: the one task of a home that cannot run it, beside another home that
// always has more.
func TestInvitationIsNotOutbid(t *testing.T) {
	const takes = 100 * time.Millisecond
	w := newConcert(t, map[PeerID]int{"many": 1, "one": 0, "peer": 1})
	w.members()
	w.pass(3 * time.Second)
	w.submit("many", 1000, Terms{Estimate: takes})
	before := 0
	w.served("peer", takes, func(Run) bool { before++; return before == 20 })
	w.submit("one", 1, Terms{Estimate: takes})
	w.settle()
	before = 0
	w.served("peer", takes, func(r Run) bool {
		if r.Piece.Job.Home == "one" {
			return true
		}
		w.know("peer", "many", 0, time.Minute) // gossip says so again and again
		before++
		return before > 100
	})
	t.Logf("it waits for %d of the other home", before)
	if before > 10 {
		t.Errorf("it waits for %d of the other home", before)
	}
}

func TestStrangersInviteNobody(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"me": 1})
	w.step("me", Received{From: "stranger", Frame: Frame{Inc: 1, Msg: Invite{Surplus: time.Hour}}})
	w.pass(time.Second)
	if len(w.sent) > 0 {
		t.Error("a stranger is asked")
	}
}

// TestWhoHasNothingNamesOthers: the nearest it believes in, but not the thief itself;
// and the thief asks there, if it is a member.
func TestWhoHasNothingNamesOthers(t *testing.T) {
	poor := New(Config{ID: "poor", Incarnation: 1}, 0)
	poor.Step(0, Candidates{[]Candidate{{Peer: "far", Level: 5, Surplus: time.Hour}, {Peer: "rich", Level: 1, Surplus: time.Second},
		{Peer: "thief", Surplus: time.Hour}, {Peer: "old", Surplus: time.Hour, Age: 9 * time.Second}, {Peer: "none"}}})
	names := poor.others("thief")
	if len(names) != 2 || names[0] != "rich" || names[1] != "far" {
		t.Fatalf("names %v", names)
	}
	thief := New(Config{ID: "thief", Incarnation: 1, Cores: 1}, 0)
	thief.Step(0, Members{[]Member{{Peer: "thief"}, {Peer: "rich"}}})
	u := thief.uplinkTo("poor")
	u.offer = ask{n: 7}
	thief.thief.refused(thief, u, &NoWork{Offer: 7, Ask: names})
	if b, ok := thief.thief.pick(thief); !ok || b.Peer != "rich" || len(thief.thief.beliefs) != 1 {
		t.Errorf("picks %q of %+v", b.Peer, thief.thief.beliefs)
	}
}

// TestNearestOfferFirst: of those that wait, whatever came first.
func TestNearestOfferFirst(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "a": 1, "b": 1})
	w.members()
	w.step("home", Members{[]Member{{Peer: "home"}, {Peer: "a", Level: 5}, {Peer: "b", Level: 1}}})
	w.pass(5 * time.Second)
	w.submit("home", 1, Terms{})
	w.settle()
	if len(w.runs["b"]) != 1 {
		t.Errorf("it goes far: %+v", w.runs)
	}
}

// TestATaskStaysWhereItStartsSooner: it does not go where the way alone takes longer than the core at home is busy, and goes
// where it starts sooner.
func TestATaskStaysWhereItStartsSooner(t *testing.T) {
	for rtt, moves := range map[time.Duration]int{400 * time.Millisecond: 0, time.Millisecond: 1} {
		w := newConcert(t, map[PeerID]int{"home": 1, "thief": 1})
		w.members()
		w.pass(5 * time.Second)
		w.nodes["home"].uplinkTo("thief").rtt = rtt
		w.submit("home", 2, Terms{Estimate: 100 * time.Millisecond})
		w.settle()
		if len(w.runs["home"]) != 1 || len(w.runs["thief"]) != moves {
			t.Errorf("round trip %v: home runs %d, the thief %d", rtt, len(w.runs["home"]), len(w.runs["thief"]))
		}
	}
}

// TestTwoWithLittleDoNotStealItFromEachOther: a task that is held ahead stays where
// it starts as soon as elsewhere.
func TestTwoWithLittleDoNotStealItFromEachOther(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "a": 1, "b": 1})
	w.members()
	w.pass(5 * time.Second)
	w.submit("home", 3, Terms{Estimate: 100 * time.Millisecond})
	w.pass(2 * time.Second)
	if n := len(messages[Grant](w, "a", "b")) + len(messages[Grant](w, "b", "a")); n > 1 {
		t.Errorf("one task moved %d times", n)
	}
}
