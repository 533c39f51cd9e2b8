package core

import (
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// TestWhatNobodyAskedForIsBounded: a grantor that answers no offer has us hold so much and no more; the rest goes back.
func TestWhatNobodyAskedForIsBounded(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "thief": 1})
	w.members()
	w.pass(5 * time.Second)
	u, n := w.nodes["thief"].ups["home"], uint64(0)
	push := func(tasks uint64) {
		n++
		p := Part{Piece: Piece{JobID{"home", n}, Span{0, tasks}, Attempt{Incarnation: 1, N: uint32(n)}}, Terms: Terms{Name: "f", Kind: task.KindFunc}, Depth: 1}
		w.step("thief", Received{From: "home", Frame: Frame{Inc: 1, Session: u.session, Epoch: u.epoch, Seq: u.seen + 1, Msg: Grant{N: u.applied + 1, Parts: []Part{p}}}})
	}
	w.deaf["thief"], w.deaf["home"] = true, true
	for range 1000 {
		push(1)
	}
	if held := w.nodes["thief"].Held(); held < 2 || held > maxUnasked+maxChunk {
		t.Errorf("of a thousand tasks that nobody asked for %d are held", held)
	}
	push(1 << 40)
	if held := w.nodes["thief"].Held(); held > maxUnasked+maxChunk {
		t.Errorf("of a span that nobody asked for %d are held", held)
	}
	back := 0
	for _, m := range messages[Report](w, "thief", "home") {
		for _, e := range m.Ends {
			if e.Kind == EndReturned && e.Refused == reasonUnasked {
				back++
			}
		}
	}
	if back < 1000-maxUnasked-maxChunk {
		t.Errorf("%d went back", back)
	}
}

// TestAGuestIsBoundedWhateverItAnswers: a guest is a process of any user of this machine.
func TestAGuestIsBoundedWhateverItAnswers(t *testing.T) {
	w := visit(t, 1, nil)
	w.submit("guest", 3, Terms{})
	w.pass(time.Second)
	node := w.nodes["node"]
	u := node.ups["guest"]
	w.deaf["guest"] = true
	for n := uint32(1); n < 100; n++ {
		p := Part{Piece: Piece{JobID{"guest", uint64(n) + 100}, Span{0, 100}, Attempt{Incarnation: 1, N: n}}, Terms: Terms{Name: "f", Kind: task.KindFunc}, Depth: 1}
		w.step("node", Received{From: "guest", Frame: Frame{Inc: 1, Session: u.session, Epoch: u.epoch, Seq: u.seen + 1, Msg: Grant{N: u.applied + 1, Offer: 1, Parts: []Part{p}}}})
	}
	if held := u.unstarted(); held < guestWindow || held > maxGuest {
		t.Errorf("of 9900 tasks %d wait", held)
	}
}
