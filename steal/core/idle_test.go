package core

import (
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// TestIdleNodesStayAsleep: who holds and lends nothing has no alarm but for the heartbeats of standing offers.
func TestIdleNodesStayAsleep(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"a": 1, "b": 1})
	w.members()
	w.pass(10 * time.Second)
	w.sent = nil
	end, wakes := w.now+time.Minute, 0
	for w.now < end {
		due, ok := w.nodes["a"].Next()
		if !ok || due > end {
			break
		}
		w.pass(due - w.now)
		wakes++
	}
	beats := len(messages[Beat](w, "a", "b"))
	if beats == 0 || beats > int(time.Minute/idleBeatEvery)+1 || len(w.sent) != 2*beats+2*len(messages[Beat](w, "b", "a")) {
		t.Errorf("%d heartbeats, %d frames in all", beats, len(w.sent))
	}
	if wakes > 4*beats {
		t.Errorf("%d alarms, %d heartbeats", wakes, beats)
	}
}

// TestIdleChannelHasALeaseReady: at whatever point between two heartbeats work appears, it starts when the
// grant arrives, and the next heartbeat goes out at once: whoever then falls silent has had its time.
func TestIdleChannelHasALeaseReady(t *testing.T) {
	for phase := time.Duration(0); phase < idleBeatEvery; phase += idleBeatEvery / 8 {
		w := newConcert(t, map[PeerID]int{"home": 0, "thief": 1})
		w.members()
		w.pass(10*time.Second + phase)
		w.sent = nil
		w.submit("home", 1, Terms{Kind: task.KindProc})
		w.deaf["home"] = true
		w.settle()
		if len(w.runs["thief"]) != 1 {
			t.Fatalf("phase %v: the thief does not run it: it has no lease ready\n%v", phase, w)
		}
		w.pass(BeatEvery)
		if len(messages[Beat](w, "thief", "home")) == 0 {
			t.Errorf("phase %v: no heartbeat after the grant\n%v", phase, w)
		}
		w.pass(LeaseTTL - BeatEvery - time.Millisecond)
		if home := w.nodes["home"]; home.Stats().LeasesExpired > 0 {
			t.Errorf("phase %v: it is taken back before a lease's time has passed", phase)
		}
		w.pass(2 * BeatEvery)
		if home := w.nodes["home"]; home.Stats().LeasesExpired == 0 {
			t.Errorf("phase %v: it is not taken back", phase)
		}
	}
}

// TestNoCommandStartsAtTheEndOfALease, which would end with it. Whatever outlives it does.
func TestNoCommandStartsAtTheEndOfALease(t *testing.T) {
	for _, test := range []struct {
		kind task.Kind
		runs int
	}{{task.KindProc, 0}, {task.KindFunc, 1}} {
		w := newConcert(t, map[PeerID]int{"home": 0, "thief": 1})
		w.members()
		w.pass(10 * time.Second)
		u := w.nodes["thief"].ups["home"]
		w.deaf["home"] = true
		w.pass(u.ackedAt + HolderTTL - startLeft/2 - w.now)
		if u.state != linkOpen {
			t.Fatal("the thief has given up already")
		}
		w.submit("home", 1, Terms{Kind: test.kind})
		w.settle()
		if n := len(w.runs["thief"]); n != test.runs {
			t.Errorf("%v: %d run", test.kind, n)
		}
		w.deaf["home"] = false
		w.pass(time.Second)
		if len(w.runs["thief"]) != 1 || did[Halt](w, "thief") {
			t.Errorf("%v: after the acknowledgement: %d run", test.kind, len(w.runs["thief"]))
		}
	}
}

// TestAFreezeIsNoticedWhereSomethingIsLent: to the second, however far the end of the next lease is.
func TestAFreezeIsNoticedWhereSomethingIsLent(t *testing.T) {
	for phase := time.Duration(0); phase < 2*LeaseTTL; phase += 300 * time.Millisecond {
		w := newConcert(t, map[PeerID]int{"home": 0, "thief": 1})
		w.members()
		w.pass(10*time.Second + phase)
		w.submit("home", 1, Terms{})
		for range 4 {
			if due, ok := w.nodes["home"].Next(); !ok || due > w.now+BeatEvery {
				t.Fatalf("phase %v: the next alarm is %v away", phase, due-w.now)
			}
			w.pass(700 * time.Millisecond)
		}
	}
}
