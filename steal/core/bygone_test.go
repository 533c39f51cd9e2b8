package core

import (
	"fmt"
	"testing"
	"time"
)

// TestLinksAreForgotten: of peers that come and go for hours a node remembers those of the last minutes.
func TestLinksAreForgotten(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"node": 1, "stays": 1})
	w.members()
	c := w.nodes["node"]
	for k := range 1000 {
		p := PeerID(fmt.Sprint("p", k))
		w.deaf[p] = true
		w.step("node", Received{From: p, Up: true, Frame: Frame{Inc: 1, Epoch: 1, Seq: 1, Msg: Hello{}}})
		w.step("node", Broken{Peer: p, Up: true, Epoch: 1})
		w.know("node", p, 0, time.Second) // it is asked, and does not answer
		w.pass(10 * time.Second)
		w.wire, w.sent = nil, nil
	}
	if most := int(2*linkMemory/(10*time.Second)) + 4; len(c.downs) > most || len(c.ups) > most {
		t.Errorf("%d and %d links are remembered, and at most %d peers can matter", len(c.downs), len(c.ups), most)
	}
	if c.downs["stays"] == nil || c.ups["stays"] == nil {
		t.Error("the one that is there was forgotten")
	}
}

// TestForgottenLinkBeginsAbove: a grantor that remembers a link takes the hello of a holder that does not.
func TestForgottenLinkBeginsAbove(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "thief": 1})
	take := func() {
		t.Helper()
		w.submit("home", 1, Terms{})
		w.know("thief", "home", 0, time.Second)
		w.pass(2 * time.Second)
		if w.done("thief", time.Millisecond) != 1 {
			t.Fatalf("it does not run\n%v", w)
		}
	}
	take()
	w.nodes["thief"].abandon(w.nodes["thief"].ups["home"]) // raises session and epoch
	take()
	w.pass(2 * linkMemory)
	w.step("thief", Tick{})
	w.nodes["thief"].uplinkTo("other")
	if w.nodes["thief"].ups["home"] != nil || w.nodes["home"].downs["thief"] == nil {
		t.Fatal("the thief has not forgotten, or home has")
	}
	take()
}

// TestEstimatesOfManyFunctions: those learnt of last are known, however many there are.
func TestEstimatesOfManyFunctions(t *testing.T) {
	var e estimates
	e.init()
	for k := range 5 * maxFunctions {
		e.learn(fmt.Sprint("f", k), time.Second, 1)
		e.learn("often", time.Minute, 1)
	}
	last := fmt.Sprint("f", 5*maxFunctions-1)
	if e.known("often") != 5*maxFunctions || e.known(last) != 1 || e.of(&Terms{Name: last}) != time.Second || e.known("f0") != 0 {
		t.Errorf("often %d, last %d, first %d samples", e.known("often"), e.known(last), e.known("f0"))
	}
	if n := len(e.by) + len(e.old); n > 2*maxFunctions {
		t.Errorf("%d are remembered", n)
	}
}
