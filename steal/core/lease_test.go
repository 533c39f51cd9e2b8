package core

import (
	"strings"
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
)

func TestDigestDoesNotDependOnSplits(t *testing.T) {
	j := JobID{"home", 1 << 32}
	a := Attempt{Incarnation: 1, N: 7}
	whole := digest(Piece{j, Span{0, 10}, a})
	if parts := digest(Piece{j, Span{3, 10}, a}) + digest(Piece{j, Span{0, 1}, a}) + digest(Piece{j, Span{1, 3}, a}); parts != whole {
		t.Error("the parts make another sum than the whole")
	}
	if digest(Piece{j, Span{0, 10}, Attempt{Incarnation: 1, N: 8}}) == whole || digest(Piece{j, Span{0, 9}, a}) == whole {
		t.Error("another attempt or span has the same digest")
	}
}

func TestWarrantsAreOfOneIntervalAttemptAndHolder(t *testing.T) {
	c := New(Config{ID: "home", Incarnation: 1, Key: [32]byte{1}}, 0)
	j, a := JobID{"home", 1 << 32}, Attempt{Incarnation: 1, N: 1}
	w := c.issueWarrant(j, Span{10, 20}, a, "thief")
	if !c.genuine(Piece{j, Span{12, 13}, a}, &w) {
		t.Error("a part of what was granted is refused")
	}
	for what, p := range map[string]Piece{"outside": {j, Span{9, 11}, a}, "another attempt": {j, Span{12, 13}, Attempt{Incarnation: 1, N: 2}}, "another job": {JobID{"home", 2 << 32}, Span{12, 13}, a}} {
		if c.genuine(p, &w) {
			t.Errorf("%s is taken", what)
		}
	}
	for what, change := range map[string]func(*Warrant){"a wider interval": func(w *Warrant) { w.Hi = 30 }, "another holder": func(w *Warrant) { w.Holder = "x" }} {
		forged := w
		change(&forged)
		if c.genuine(Piece{j, Span{12, 13}, a}, &forged) {
			t.Errorf("%s is taken", what)
		}
	}
}

// TestCommandStopsAtItsDeadline: a holder that hears nothing any more stops its
// commands after 7 s, before its grantor, after 10 s, grants them again.
func TestCommandStopsAtItsDeadline(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "thief": 1})
	w.members()
	w.pass(5 * time.Second)
	w.submit("home", 1, Terms{Kind: task.KindProc})
	w.settle()
	if len(w.runs["thief"]) != 1 || w.runs["thief"][0].Leash == 0 {
		t.Fatalf("not running on a leash: %+v", w.runs)
	}
	w.deaf["home"], w.deaf["thief"] = true, true
	cut := w.now
	var halted, queued time.Duration
	for w.now < cut+15*time.Second {
		w.pass(100 * time.Millisecond)
		if halted == 0 && did[Halt](w, "thief") {
			halted = w.now - cut
		}
		if st, _ := w.nodes["home"].jobOrder[0].state.Get(0); st == taskQueued && queued == 0 {
			queued = w.now - cut
		}
	}
	if halted == 0 || halted > HolderTTL+time.Second/2 {
		t.Errorf("the command is stopped after %v", halted)
	}
	if queued < HolderTTL+time.Second || queued > LeaseTTL+time.Second {
		t.Errorf("home takes it back after %v", queued)
	}
}

// TestAFrozenGrantorBlamesItself: what it keeps as grantor is shifted by the time it slept.
func TestAFrozenGrantorBlamesItself(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "thief": 1})
	w.members()
	w.pass(5 * time.Second)
	w.submit("home", 1, Terms{})
	w.pass(time.Second)
	w.now += 30 * time.Second
	w.step("home", Tick{})
	if st, _ := w.nodes["home"].jobOrder[0].state.Get(0); st != taskHeld {
		t.Errorf("it takes back what its thief still runs: %v", st)
	}
	if w.nodes["home"].Stats().FrozenSteps != 1 {
		t.Error("the freeze is not counted")
	}
}

// TestManySilentHoldersAreOurOwnFault: more than a third of them at once.
func TestManySilentHoldersAreOurOwnFault(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "a": 1, "b": 1, "c": 1})
	w.members()
	w.pass(5 * time.Second)
	for range 3 {
		w.submit("home", 1, Terms{})
		w.settle()
	}
	w.pass(time.Second)
	w.deaf["home"] = true
	cut := w.now
	w.pass(LeaseTTL + 2*time.Second)
	home := w.nodes["home"]
	if home.Stats().LeasesExpired != 0 || home.Stats().SuspectedSelf == 0 {
		t.Fatalf("after %v: %+v", w.now-cut, home.Stats())
	}
	w.pass(LeaseTTL)
	if home.Stats().LeasesExpired < 2 {
		t.Fatalf("it waits for ever: %+v", home.Stats())
	}
}

// TestALargeSetGoesInPages: a set of more claims than a frame takes.
func TestALargeSetGoesInPages(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "thief": 32})
	w.members()
	w.pass(5 * time.Second)
	w.nodes["thief"].uplinkTo("home").window = 4000
	w.submit("home", 3000, Terms{Estimate: 10 * time.Microsecond})
	w.settle()
	home, thief := w.nodes["home"], w.nodes["thief"]
	u := thief.ups["home"]
	h := u.order[0]
	for i := range uint64(3000) {
		h.cut(i)
	}
	held := thief.Held()
	w.sent = nil
	w.step("thief", Broken{Peer: "home", Up: true, Epoch: u.epoch})
	w.pass(2 * time.Second)
	if n := len(messages[Page](w, "thief", "home")); n < 2 {
		t.Fatalf("%d pages for %d claims", n, len(u.claims()))
	}
	if thief.Held() != held || home.Stats().LeasesExpired != 0 {
		t.Errorf("the thief held %d, and holds %d", held, thief.Held())
	}
	for _, f := range w.sent {
		if m, ok := f.frame.Msg.(Drop); ok {
			t.Errorf("%s is told to drop %d pieces", f.to, len(m.Pieces))
		}
	}
}

// TestCancelHasTwoAnswers: accepted at once, stopped when the holder has said so.
func TestCancelHasTwoAnswers(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "thief": 1})
	w.members()
	w.pass(5 * time.Second)
	w.submit("home", 3, Terms{})
	w.settle()
	w.did["home"] = nil
	w.step("home", CancelJob{w.nodes["home"].jobOrder[0].id})
	w.settle()
	if !did[CancelAccepted](w, "home") || did[Stopped](w, "home") {
		t.Fatalf("after the cancel: %+v", w.did["home"])
	}
	for _, r := range w.runs["thief"] {
		w.step("thief", Finished{Piece: r.Piece, State: task.Cancelled})
	}
	w.settle()
	if !did[Stopped](w, "home") {
		t.Fatalf("the holder has stopped, and home does not say so: %+v", w.did["home"])
	}
}

// TestACancelOfWhatHasEndedTellsNothing: nothing of it was cancelled.
func TestACancelOfWhatHasEndedTellsNothing(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 1})
	w.submit("home", 1, Terms{})
	w.done("home", time.Second)
	home := w.nodes["home"]
	w.step("home", CancelJob{home.jobOrder[0].id})
	if text := strings.Join(home.Explain(home.jobOrder[0].id, 0), "\n"); strings.Contains(text, "cancelled") || !did[Stopped](w, "home") {
		t.Errorf("of a job that had ended:\n%s", text)
	}
}

// TestUnconfirmedCancelNamesTheNode: a holder that vanished may still run it.
func TestUnconfirmedCancelNamesTheNode(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "thief": 1})
	w.members()
	w.pass(5 * time.Second)
	w.submit("home", 1, Terms{})
	w.settle()
	w.deaf["home"], w.deaf["thief"] = true, true
	w.step("home", CancelJob{w.nodes["home"].jobOrder[0].id})
	w.pass(LeaseTTL + 2*time.Second)
	for _, e := range w.did["home"] {
		if u, ok := e.(Unconfirmed); ok && len(u.Peers) == 1 && u.Peers[0] == "thief" {
			return
		}
	}
	t.Errorf("nobody is named: %+v", w.did["home"])
}

// TestExplainTellsWhy: every attempt with its reason, and the refusals by count.
func TestExplainTellsWhy(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "thief": 1})
	w.members()
	w.pass(5 * time.Second)
	w.submit("home", 1, Terms{Where: Where{Require: []string{"gpu"}}})
	w.submit("home", 1, Terms{})
	w.settle()
	home := w.nodes["home"]
	first := strings.Join(home.Explain(home.jobOrder[0].id, 0), "\n")
	if !strings.Contains(first, "now queued") || !strings.Contains(first, reasonLabel) {
		t.Errorf("of what waits:\n%s", first)
	}
	w.done("thief", time.Second)
	second := strings.Join(home.Explain(home.jobOrder[1].id, 0), "\n")
	if !strings.Contains(second, "granted to thief") || !strings.Contains(second, "committed from thief") {
		t.Errorf("of what is done:\n%s", second)
	}
}

func did[E Effect](w *concert, id PeerID) bool {
	for _, e := range w.did[id] {
		if _, ok := e.(E); ok {
			return true
		}
	}
	return false
}

// TestALeaseCountsFromItsHeartbeat: an acknowledgement that takes its time does not prolong it.
func TestALeaseCountsFromItsHeartbeat(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "thief": 1})
	w.members()
	w.submit("home", 1, Terms{Kind: task.KindProc})
	w.pass(5 * time.Second)
	u := w.nodes["thief"].ups["home"]
	w.deaf["thief"] = true
	w.pass(BeatEvery * 5 / 2)
	sent := u.unanswered[len(u.unanswered)-1].at
	w.deaf["thief"] = false
	w.settle()
	if got := u.lanes[0].until - sent; sent == w.now || got != HolderTTL {
		t.Errorf("the lease ends %v after the heartbeat was sent that was acknowledged", got)
	}
}

// TestASetHasABeginningAndAnEnd: pages without either are refused, and not kept.
func TestASetHasABeginningAndAnEnd(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "thief": 1})
	w.members()
	w.submit("home", 1, Terms{})
	w.pass(2 * time.Second)
	home, u := w.nodes["home"], w.nodes["thief"].ups["home"]
	claims := make([]Claim, maxClaims)
	for k := range claims {
		claims[k] = Claim{Piece: Piece{JobID{"x", 1}, Span{0, 1}, Attempt{Incarnation: 1, N: 1}}, State: ClaimUnstarted}
	}
	say := func(m Message) {
		u.seq++
		w.step("home", Received{From: "thief", Up: true, Frame: Frame{Inc: 1, Epoch: u.epoch, Seq: u.seq, Msg: m}})
	}
	w.deaf["thief"] = true
	say(Page{}) // as if nothing were held
	if home.Out(home.jobOrder[0].id, 0) != 1 || len(messages[Refused](w, "home", "thief")) != 1 {
		t.Error("a page that belongs to nothing is taken for a set")
	}
	say(Beat{N: 1000, Full: true, More: true})
	for range 2 * maxSet / maxClaims {
		say(Page{Claims: claims, More: true})
	}
	if n := len(home.downs["thief"].set); n > maxSet {
		t.Errorf("%d claims of a set without an end are kept", n)
	}
}

// TestAnAckFollowsTheDropsOfItsSet: else the holder has a lease for what it is about to be told to stop.
func TestAnAckFollowsTheDropsOfItsSet(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "thief": 1})
	w.members()
	w.pass(5 * time.Second)
	w.submit("home", 1, Terms{})
	w.settle()
	w.deaf["thief"] = true
	w.step("home", CancelJob{w.nodes["home"].jobOrder[0].id})
	u := w.nodes["thief"].ups["home"]
	w.step("thief", Broken{Peer: "home", Up: true, Epoch: u.epoch})
	w.sent = nil
	w.pass(time.Second)
	for _, f := range w.sent {
		if _, ok := f.frame.Msg.(Drop); ok && f.from == "home" {
			return
		}
		if _, ok := f.frame.Msg.(Ack); ok && f.from == "home" {
			t.Fatal("the set is acknowledged before what it shows is dropped")
		}
	}
	t.Fatal("nothing is dropped")
}
