package core

import (
	"slices"
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// This file has one scenario for each of those rules of the protocol (doc.go) that the simulator needs luck to break.
// The test's comment begins with the rule.

// heldByThief is a home and a thief, and the thief runs one of its two tasks.
func heldByThief(t *testing.T, kind task.Kind) (w *concert, u *uplink) {
	w = newConcert(t, map[PeerID]int{"home": 0, "thief": 1})
	w.nodes["thief"].uplinkTo("home").window = 3
	w.submit("home", 2, Terms{Kind: kind, Estimate: 100 * time.Millisecond})
	w.know("thief", "home", 0, time.Minute)
	w.pass(2 * time.Second)
	u = w.nodes["thief"].ups["home"]
	if len(w.runs["thief"]) != 1 || u.unstarted() != 1 {
		t.Fatalf("%d run, %d wait", len(w.runs["thief"]), u.unstarted())
	}
	return w, u
}

// lentOn is a home, a middle and a thief that runs what the middle has lent on.
func lentOn(t *testing.T, kind task.Kind) (w *concert, u *uplink) {
	w = newConcert(t, map[PeerID]int{"home": 0, "middle": 1, "thief": 1})
	w.nodes["middle"].uplinkTo("home").window = 3
	w.submit("home", 3, Terms{Kind: kind, Estimate: 100 * time.Millisecond})
	w.know("middle", "home", 0, time.Minute)
	w.pass(time.Second)
	w.know("thief", "middle", 0, time.Minute)
	w.pass(2 * time.Second)
	if len(w.runs["middle"]) != 1 || len(w.runs["thief"]) != 1 {
		t.Fatalf("%+v", w.runs)
	}
	return w, w.nodes["thief"].ups["middle"]
}

// shown is the state that a peer's last hello shows of a piece.
func (w *concert) shown(from, to PeerID, p Piece) (s ClaimState, ok bool) {
	all := messages[Hello](w, from, to)
	if len(all) == 0 {
		return 0, false
	}
	for _, q := range all[len(all)-1].Claims {
		if q.Piece == p {
			return q.State, true
		}
	}
	return 0, false
}

// lapse: who wakes after its deadline has another set than its grantor thinks, and says nothing in the old epoch any more.
func TestALapsedHolderBeginsANewEpoch(t *testing.T) {
	w, u := heldByThief(t, task.KindFunc)
	epoch := u.epoch
	w.deaf["thief"] = true
	for last := u.beats; u.beats == last; {
		w.pass(100 * time.Millisecond)
	}
	w.now = u.lanes[0].until + time.Second // the process was frozen; the acknowledgement is what it reads first
	w.sent = nil
	w.deaf["thief"] = false
	w.settle()
	w.pass(time.Second)
	for _, f := range w.sent {
		if _, hello := f.frame.Msg.(Hello); f.from == "thief" && f.to == "home" {
			if !hello || f.frame.Epoch <= epoch {
				t.Fatalf("after its lease it says %T in epoch %d, that of the lease was %d", f.frame.Msg, f.frame.Epoch, epoch)
			}
			return
		}
	}
	t.Fatal("it says nothing")
}

// killed: what was stopped stays in the set until its end is acknowledged; a grantor that does not find it there takes it
// for what has not started.
func TestWhatWasKilledIsShownUntilItIsRecorded(t *testing.T) {
	w, u := heldByThief(t, task.KindProc)
	p := w.runs["thief"][0].Piece
	w.deaf["home"] = true
	w.pass(HolderTTL + time.Second)
	if !did[Halt](w, "thief") {
		t.Fatal("the command is not stopped after the lease")
	}
	w.step("thief", Finished{Piece: p, State: task.Cancelled})
	w.wire = nil // none of it arrives
	w.sent = nil
	w.pass(4 * time.Second)
	if s, ok := w.shown("thief", "home", p); !ok || s != ClaimKilled {
		t.Errorf("what was killed is not shown to its grantor: %v %v", s, ok)
	}
	w.wire, w.deaf["home"] = nil, false
	w.pass(4 * time.Second)
	if slices.ContainsFunc(u.order, func(h *heldJob) bool {
		return slices.ContainsFunc(h.slots, func(q slot) bool { return q.state == ClaimKilled })
	}) {
		t.Error("its end is never recorded")
	}
}

// keepend: a drop does not erase an outcome that is not recorded; it may have been lost on its way.
func TestADropKeepsWhatIsNotRecorded(t *testing.T) {
	w, u := heldByThief(t, task.KindFunc)
	p := w.runs["thief"][0].Piece
	w.deaf["home"] = true
	w.step("thief", Finished{Piece: p, State: task.Done, Ran: time.Second})
	w.wire = slices.DeleteFunc(w.wire, func(f flight) bool { return f.to == "home" }) // it is lost
	w.step("home", CancelJob{p.Job})
	w.settle()
	w.step("thief", Broken{Peer: "home", Up: true, Epoch: u.epoch})
	w.sent = nil
	w.pass(2 * time.Second)
	if s, ok := w.shown("thief", "home", p); !ok || s != ClaimEnded {
		t.Errorf("an outcome that nobody has recorded is forgotten for a drop: %v %v", s, ok)
	}
	w.wire, w.deaf["home"] = nil, false
	for _, r := range w.runs["thief"][1:] { // the second has begun when the first ended, and was stopped
		w.step("thief", Finished{Piece: r.Piece, State: task.Cancelled})
	}
	w.pass(4 * time.Second)
	if !did[Stopped](w, "home") || !u.empty() {
		t.Errorf("home does not hear that nothing runs: %+v", w.did["home"])
	}
}

// restart is home's next incarnation, with its durable job as the journal has it.
func (w *concert) restart(terms Terms, id JobID, n uint64) {
	cfg := w.nodes["home"].cfg
	cfg.Incarnation++
	cfg.Restored = []Restored{{Job: id, Terms: terms, N: n}}
	w.nodes["home"] = New(cfg, w.now)
	w.did["home"], w.wire = nil, nil
	w.step("home", Tick{})
	for _, id := range w.order {
		if u := w.nodes[id].ups["home"]; u != nil {
			w.step(id, Broken{Peer: "home", Up: true, Epoch: u.epoch})
		}
	}
}

// oldinc: a restarted durable home takes what its earlier incarnation granted, claims and outcomes.
func TestARestartedHomeTakesWhatItGrantedBefore(t *testing.T) {
	for _, ended := range []bool{false, true} {
		w := newConcert(t, map[PeerID]int{"home": 0, "thief": 2})
		terms := Terms{Name: "f", Kind: task.KindFunc, Durable: true, Estimate: time.Second}
		w.submit("home", 1, terms)
		w.know("thief", "home", 0, time.Minute)
		w.pass(2 * time.Second)
		if len(w.runs["thief"]) != 1 {
			t.Fatal("it does not run")
		}
		p := w.runs["thief"][0].Piece
		w.restart(terms, p.Job, 1)
		if ended {
			w.done("thief", time.Second)
		}
		w.pass(4 * time.Second)
		if !ended {
			if n := w.nodes["home"].Out(p.Job, 0); n != 1 || did[Halt](w, "thief") {
				t.Fatalf("what runs is not adopted: %d attempts are out", n)
			}
			w.done("thief", time.Second)
		}
		w.pass(time.Second)
		if !did[Commit](w, "home") || len(messages[Grant](w, "home", "thief")) != 1 {
			t.Errorf("ended before the restart %v: the outcome of the earlier incarnation's attempt does not count", ended)
		}
	}
}

// gone: a middle that does not know a claim says so, and does not stop it: the root home may want it.
func TestAMiddleThatForgotSendsItsThiefToTheHome(t *testing.T) {
	w, u := lentOn(t, task.KindFunc)
	p := w.runs["thief"][0].Piece
	cfg := w.nodes["middle"].cfg
	cfg.Incarnation++
	w.nodes["middle"], w.wire = New(cfg, w.now), nil
	w.step("middle", Tick{})
	w.step("thief", Broken{Peer: "middle", Up: true, Epoch: u.epoch})
	w.pass(time.Second)
	if did[Halt](w, "thief") || len(messages[Drop](w, "middle", "thief")) > 0 {
		t.Fatal("the middle has stopped what it does not know")
	}
	if w.nodes["thief"].ups["home"].held(p.Job) == nil {
		t.Fatal("the thief does not turn to the root home")
	}
	w.done("thief", time.Second)
	w.pass(3 * time.Second)
	if !did[Commit](w, "home") {
		t.Error("its outcome does not reach home")
	}
}

// freshinc: a middle's new incarnation numbers its lanes anew; it does not extend what the old one lent on.
func TestANewMiddleDoesNotExtendWhatTheOldLent(t *testing.T) {
	w, u := lentOn(t, task.KindProc)
	old := u.order[0].slots[0].lane
	until := old.until
	w.deaf["middle"], w.wire = true, nil
	w.pass(200 * time.Millisecond)
	w.wire = nil
	w.step("thief", Broken{Peer: "middle", Up: true, Epoch: u.epoch})
	w.pass(time.Second)
	lefts := []LaneLeft{{0, HolderTTL}}
	for n := range u.lanes {
		if n != 0 {
			lefts = append(lefts, LaneLeft{n, HolderTTL})
		}
	}
	if len(lefts) != 2 {
		t.Fatalf("%d leases", len(lefts))
	}
	w.step("thief", Received{From: "middle", Frame: Frame{Inc: 2, Session: u.session, Epoch: u.epoch, Seq: 1, Msg: Ack{Lanes: lefts}}})
	if u.state != linkOpen {
		t.Fatal("the acknowledgement is not taken")
	}
	if old.until > until {
		t.Errorf("the lease of what the old incarnation lent on is extended by %v", old.until-until)
	}
	if !did[Halt](w, "thief") {
		t.Error("the command of a middle that does not know it is not stopped")
	}
}

// A new incarnation counts its epochs from 1 as the former one did, whose connection may be found to have ended only
// now. Nothing is recorded or granted on a channel that is thought to be cut, so its holder has to notice.
func TestTheLateEndOfAnOldConnectionIsOvercome(t *testing.T) {
	w, u := heldByThief(t, task.KindFunc)
	epoch := u.epoch
	w.step("home", Broken{Peer: "thief", Epoch: epoch})
	w.done("thief", time.Second)
	w.pass(2*BeatEvery + ackPatience)
	if u.epoch == epoch {
		t.Fatal("the holder goes on in an epoch in which nothing is answered")
	}
	w.done("thief", time.Second)
	w.pass(2 * BeatEvery)
	if !u.empty() {
		t.Errorf("its outcomes are never recorded: %v", u.claims())
	}
}
