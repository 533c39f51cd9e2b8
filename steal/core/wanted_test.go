package core

import (
	"testing"
	"time"
)

func (w *concert) wanted(id PeerID) (n int) {
	for _, e := range w.did[id] {
		if _, ok := e.(Wanted); ok {
			n++
		}
	}
	return n
}

// TestWantedOnce: the owner is told once that peers wait, however long, and again only after it has heard that none
// does.
func TestWantedOnce(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 1, "thief": 2})
	w.members()
	home := w.nodes["home"]
	w.pass(time.Minute)
	if n := w.wanted("home"); n != 1 {
		t.Fatalf("told %d times in an idle minute", n)
	}
	if n := home.Appetite(); n != 2 {
		t.Errorf("appetite %d for a thief with two cores", n)
	}
	w.pass(time.Minute)
	if n := w.wanted("home"); n != 1 {
		t.Fatalf("told %d times", n)
	}
	w.submit("home", 100, Terms{Estimate: time.Second})
	w.settle()
	if n := home.Appetite(); n != 0 {
		t.Errorf("appetite %d beside a backlog", n)
	}
	for home.jobOrder[0].committed < 100 {
		w.done("home", time.Second)
		w.done("thief", time.Second)
		w.pass(10 * time.Millisecond)
	}
	w.pass(10 * time.Second)
	if n := w.wanted("home"); n != 2 {
		t.Errorf("told %d times, though peers wait again", n)
	}
	if n := home.Appetite(); n != 2 {
		t.Errorf("appetite %d", n)
	}
}

// TestAppetiteLessWhatIsQueued: what waits here already and may leave is counted against it.
func TestAppetiteLessWhatIsQueued(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 1, "thief": 3})
	w.members()
	w.pass(10 * time.Second)
	w.submit("home", 3, Terms{Estimate: 10 * time.Microsecond})
	w.settle()
	home := w.nodes["home"]
	queued := int(home.jobOrder[0].queue.Len())
	if n := home.Appetite(); n != max(0, 3-queued) {
		t.Errorf("appetite %d, while %d tasks wait here", n, queued)
	}
}

// TestWantedAgainAfterABacklog: who was told that nothing more is wanted hears when what is queued does not do for those
// who wait any more, though they have waited all the while.
func TestWantedAgainAfterABacklog(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 1, "thief": 3})
	w.members()
	w.pass(10 * time.Second)
	home := w.nodes["home"]
	home.ups["thief"].rtt = 100 * time.Millisecond // so that short tasks stay
	w.submit("home", 5, Terms{Estimate: 2 * time.Millisecond})
	w.settle()
	if n := home.Appetite(); n != 0 || len(home.offering) != 1 || len(w.runs["thief"]) > 0 {
		t.Fatalf("appetite %d, %d offers", n, len(home.offering))
	}
	before := w.wanted("home")
	for home.jobOrder[0].committed < 4 {
		w.done("home", 2*time.Millisecond) // all in the same moment
	}
	w.pass(2 * appetiteEvery)
	if n := w.wanted("home") - before; n != 1 {
		t.Errorf("told %d times after the backlog", n)
	}
}
