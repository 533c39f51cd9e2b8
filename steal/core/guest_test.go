package core

import (
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// visit is a concert of a node with some cores, a guest of it, and peers.
func visit(t *testing.T, cores int, peers map[PeerID]int) *concert {
	all := map[PeerID]int{"node": cores, "guest": 0}
	for p, n := range peers {
		all[p] = n
	}
	w := newConcert(t, all)
	w.nodes["guest"].cfg.Host = "node"
	var list []Member
	for _, id := range w.order {
		if id != "guest" {
			list = append(list, Member{Peer: id})
		}
	}
	for _, m := range list {
		w.step(m.Peer, Members{list})
	}
	w.step("guest", Tick{})
	w.step("node", Guest{Peer: "guest", Here: true})
	w.pass(2 * time.Second)
	return w
}

// lend passes what the node starts of the guest's on to the guest.
func (w *concert) lend() (n int) {
	var others []Run
	for _, r := range w.runs["node"] {
		if r.Piece.Job.Home != "guest" {
			others = append(others, r)
			continue
		}
		if r.Leash != 0 {
			w.t.Errorf("%v runs on a leash: its home executes it", r.Piece)
		}
		w.step("guest", Lent{r.Piece})
		n++
	}
	w.runs["node"] = others
	w.settle()
	return n
}

// atHome ends what the guest executes.
func (w *concert) atHome(took time.Duration) (n int) {
	w.lend()
	runs := w.runs["guest"]
	w.runs["guest"] = nil
	for _, r := range runs {
		w.step("guest", Finished{Piece: r.Piece, State: task.Done, Ran: took})
		w.step("node", RanByHome{Piece: r.Piece, Ran: took})
		n += int(r.Piece.Len())
	}
	w.settle()
	return n
}

func TestNodeHoldsAWindowOfAGuestsTasks(t *testing.T) {
	w := visit(t, 2, nil)
	w.submit("guest", 5000, Terms{Kind: task.KindProc})
	w.pass(time.Second)
	ended, most := 0, uint64(0)
	for range 6000 {
		most = max(most, w.nodes["node"].Held())
		if len(w.runs["node"]) > 2 {
			t.Fatalf("%d tasks run on two cores", len(w.runs["node"]))
		}
		n := w.atHome(time.Millisecond)
		ended += n
		if n == 0 {
			break
		}
	}
	if ended != 5000 || !did[JobDone](w, "guest") {
		t.Errorf("%d of 5000 tasks have ended", ended)
	}
	if most < guestWindow/2 || most > guestWindow+2 {
		t.Errorf("the node holds up to %d", most)
	}
	for _, r := range messages[Report](w, "node", "guest") {
		if len(r.Outcomes) > 0 {
			t.Fatalf("the node reports what the guest knows: %+v", r)
		}
	}
	if n := w.nodes["node"].Held(); n != 0 {
		t.Errorf("the node still holds %d", n)
	}
}

// TestGuestsTasksNeedNoKindAtItsNode: the node lends cores for what it would not
// run for others; those who steal from it need the kind.
func TestGuestsTasksNeedNoKindAtItsNode(t *testing.T) {
	w := visit(t, 1, map[PeerID]int{"able": 1, "unable": 1})
	w.nodes["node"].cfg.Kinds = nil
	w.nodes["unable"].cfg.Kinds = []task.Kind{task.KindFunc}
	w.pass(2 * time.Second)
	w.submit("guest", 20, Terms{Kind: task.KindProc})
	w.pass(5 * time.Second)
	if w.lend() != 1 || len(w.runs["guest"]) != 1 {
		t.Errorf("%d of the guest's tasks run at it, want 1", len(w.runs["guest"]))
	}
	if len(w.runs["able"]) != 1 {
		t.Errorf("%d run at the peer that runs commands, want 1\n%v", len(w.runs["able"]), w)
	}
	if len(w.runs["unable"]) != 0 {
		t.Error("a peer that does not run commands runs one")
	}
}

func TestGuestJobsBoundWhatRunsHere(t *testing.T) {
	w := visit(t, 8, nil)
	w.step("node", Guest{Peer: "guest", Here: true, Jobs: 3})
	w.submit("guest", 20, Terms{})
	w.pass(time.Second)
	if n := w.lend(); n != 3 {
		t.Errorf("%d run, want 3", n)
	}
	if n := w.atHome(time.Millisecond); n != 3 || w.lend() != 3 {
		t.Errorf("%d ended, want 3, and as many follow", n)
	}
	w.submit("node", 5, Terms{})
	w.step("node", Guest{Peer: "guest", Here: true, Jobs: 1})
	if n := w.nodes["node"].busy; n != 8 {
		t.Errorf("%d of 8 cores are busy: what the guest may not use is for others", n)
	}
}

// TestAGuestThatGoesTakesItsWorkAlong: wherever it is.
func TestAGuestThatGoesTakesItsWorkAlong(t *testing.T) {
	w := visit(t, 1, map[PeerID]int{"peer": 1})
	w.submit("guest", 20, Terms{})
	w.pass(3 * time.Second)
	if len(w.runs["peer"]) != 1 || len(w.runs["node"]) != 1 {
		t.Fatalf("runs: %+v", w.runs)
	}
	w.step("node", Guest{Peer: "guest"})
	w.settle()
	if !did[Halt](w, "node") || !did[Halt](w, "peer") {
		t.Error("what runs is not stopped")
	}
	for _, id := range []PeerID{"node", "peer"} {
		for _, r := range w.runs[id] {
			w.step(id, Finished{Piece: r.Piece, State: task.Cancelled})
		}
	}
	w.pass(3 * time.Second)
	if a, b := w.nodes["node"].Held(), w.nodes["peer"].Held(); a+b != 0 {
		t.Errorf("node and peer still hold %d and %d", a, b)
	}
	if n := len(w.nodes["node"].upOrder); n != 1 { // to the peer
		t.Errorf("%d channels are kept", n)
	}
}

// TestAGuestComesBack: its name was forgotten, its channel's numbers were not.
func TestAGuestComesBack(t *testing.T) {
	w := visit(t, 1, nil)
	w.submit("guest", 3, Terms{})
	w.pass(time.Second)
	w.step("node", Guest{Peer: "guest"})
	for _, r := range w.runs["node"] {
		w.step("node", Finished{Piece: r.Piece, State: task.Cancelled})
	}
	w.runs["node"] = nil
	w.step("node", Guest{Peer: "guest", Here: true})
	w.pass(20 * time.Second)
	for range 3 {
		w.atHome(time.Second)
	}
	if !did[JobDone](w, "guest") {
		t.Errorf("its job does not end\n%v", w)
	}
}

// TestASilentNodeDoesNotRepeatWhatTheGuestRuns: a lease that runs out says nothing
// about what the guest executes itself.
func TestASilentNodeDoesNotRepeatWhatTheGuestRuns(t *testing.T) {
	w := visit(t, 1, nil)
	w.submit("guest", 3, Terms{Kind: task.KindProc})
	w.pass(time.Second)
	w.lend()
	w.deaf["guest"], w.deaf["node"] = true, true
	w.pass(2 * LeaseTTL)
	if did[Halt](w, "node") {
		t.Error("the node stops what the guest executes")
	}
	w.step("guest", Left{"node"})
	w.step("guest", Resize{2})
	w.pass(time.Second)
	if n := len(w.runs["guest"]); n != 2 { // the lent one, and one more on the second core
		t.Fatalf("%d run at the guest, want 2: %+v", n, w.runs["guest"])
	}
	first := w.runs["guest"][0].Piece
	for _, r := range w.runs["guest"][1:] {
		if _, again := r.Piece.meet(first.Span); again {
			t.Errorf("%v runs, and %v is started", first, r.Piece)
		}
	}
	w.done("guest", time.Second)
	w.done("guest", time.Second)
	if !did[JobDone](w, "guest") {
		t.Error("the job does not end")
	}
}

// TestASilentNodeComesBack with the very core that it lent.
func TestASilentNodeComesBack(t *testing.T) {
	w := visit(t, 1, nil)
	w.submit("guest", 3, Terms{Kind: task.KindProc})
	w.pass(time.Second)
	w.lend()
	w.deaf["guest"], w.deaf["node"] = true, true
	w.pass(2 * LeaseTTL)
	w.deaf["guest"], w.deaf["node"] = false, false
	w.pass(5 * time.Second)
	if did[Halt](w, "node") || did[Halt](w, "guest") {
		t.Error("what the guest executes is stopped")
	}
	for range 3 {
		w.atHome(time.Second)
		w.pass(time.Second)
	}
	if !did[JobDone](w, "guest") {
		t.Errorf("the job does not end\n%v", w)
	}
	for _, j := range w.nodes["guest"].jobOrder {
		if j.attempts > 6 {
			t.Errorf("%d attempts at three tasks", j.attempts)
		}
	}
}

// TestARestartedNodeDoesNotRepeatWhatTheGuestRuns: it knows nothing of it.
func TestARestartedNodeDoesNotRepeatWhatTheGuestRuns(t *testing.T) {
	w := visit(t, 1, nil)
	w.submit("guest", 1, Terms{Kind: task.KindProc})
	w.pass(time.Second)
	w.lend()
	cfg := w.nodes["node"].cfg
	cfg.Incarnation++
	w.nodes["node"] = New(cfg, w.now)
	w.runs["node"] = nil
	w.step("node", Tick{})
	w.step("node", Guest{Peer: "guest", Here: true})
	w.pass(2 * LeaseTTL)
	if w.lend() != 0 {
		t.Error("the task is started again")
	}
	w.done("guest", time.Second)
	if !did[JobDone](w, "guest") {
		t.Error("the job does not end")
	}
}

// TestAGuestEndsItsNodesRunWithoutHavingBeenLentIt: its word counts, and the node's
// later claims do not disturb.
func TestAGuestEndsItsNodesRunWithoutHavingBeenLentIt(t *testing.T) {
	w := visit(t, 1, nil)
	w.submit("guest", 1, Terms{})
	w.pass(time.Second)
	p := w.runs["node"][0].Piece
	w.step("guest", Finished{Piece: p, State: task.Done, Ran: time.Second})
	if !did[JobDone](w, "guest") {
		t.Fatal("the job is not done")
	}
	w.pass(5 * time.Second) // the node beats with a claim that the guest does not know
	w.step("node", RanByHome{Piece: p, Ran: time.Second})
	w.step("guest", Finished{Piece: p, State: task.Done, Ran: time.Second})
	w.pass(5 * time.Second)
	if w.nodes["node"].Held() != 0 || w.nodes["node"].busy != 0 || w.nodes["guest"].Out(p.Job, 0) != 0 {
		t.Errorf("something is still held\n%v", w)
	}
}

// TestALentPieceMustBeHeld: what home has taken back is not started.
func TestALentPieceMustBeHeld(t *testing.T) {
	w := visit(t, 1, nil)
	w.submit("guest", 2, Terms{})
	w.pass(time.Second)
	p := w.runs["node"][0].Piece
	w.step("guest", CancelJob{p.Job})
	w.step("guest", Lent{p})
	if len(w.runs["guest"]) != 0 || !did[Declined](w, "guest") {
		t.Error("a cancelled task is started")
	}
	w.settle()
	w.step("node", Finished{Piece: p, State: task.Cancelled})
	w.pass(3 * time.Second)
	if !did[Stopped](w, "guest") {
		t.Error("it is not stopped")
	}
}

// TestRetryOvertakesTheNode: a task that failed is granted again before the node
// hears that the first attempt has ended.
func TestRetryOvertakesTheNode(t *testing.T) {
	w := visit(t, 1, nil)
	w.submit("guest", 1, Terms{Retries: 1})
	w.pass(time.Second)
	p := w.runs["node"][0].Piece
	w.lend()
	w.step("guest", Finished{Piece: p, State: task.Failed, Exit: 1, Ran: time.Second})
	w.settle()
	w.step("node", RanByHome{Piece: p, Ran: time.Second})
	w.settle()
	if n := len(w.runs["node"]); n != 1 {
		t.Fatalf("the second attempt does not start: %d run\n%v", n, w)
	}
	w.runs["guest"] = nil
	w.atHome(time.Second)
	if !did[JobDone](w, "guest") {
		t.Error("the job is not done")
	}
}

// TestANodeGetsItsGuestsTasksFromTheGuest and from nobody else, since it can only
// lend a core for what it holds from there.
func TestANodeGetsItsGuestsTasksFromTheGuest(t *testing.T) {
	w := visit(t, 1, nil)
	part := &Part{Piece: Piece{Job: JobID{Home: "guest", Seq: 1}, Span: Span{0, 1}}, Terms: Terms{Kind: task.KindFunc}}
	node := w.nodes["node"]
	if why := node.declines(&uplink{peer: "other"}, part); why != reasonGuest {
		t.Errorf("declines what another peer has of it: %q", why)
	}
	if why := node.declines(node.ups["guest"], part); why != "" {
		t.Errorf("declines what the guest itself grants: %q", why)
	}
}
