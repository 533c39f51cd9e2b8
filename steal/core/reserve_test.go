package core

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// turns ends the runs of a node one by one, the oldest first, until f says enough of one that has started.
func (w *concert) turns(id PeerID, each time.Duration, most int, f func(Run) (enough bool)) (ended int) {
	seen := len(w.runs[id])
	for ended = 0; ended < most; ended++ {
		for _, r := range w.runs[id][seen:] {
			if f(r) {
				return ended
			}
		}
		if len(w.runs[id]) == 0 {
			w.t.Fatal("nothing runs")
		}
		w.pass(each)
		r := w.runs[id][0]
		w.runs[id] = w.runs[id][1:]
		seen = len(w.runs[id])
		w.step(id, Finished{Piece: r.Piece, State: task.Done, Ran: each * time.Duration(r.Piece.Len())})
		w.settle()
	}
	return ended
}

func named(name string) func(Run) bool { return func(r Run) bool { return r.Terms.Name == name } }

// TestAWideTaskStartsBesideNarrowOnes: within about what runs, whatever comes after it, and whosever it is.
func TestAWideTaskStartsBesideNarrowOnes(t *testing.T) {
	for _, cores := range []int{2, 9} { // of three, where there are two: it runs alone
		w := newConcert(t, map[PeerID]int{"far": 0, "node": 3})
		w.members()
		w.pass(3 * time.Second)
		w.submit("node", 1000, Terms{Name: "narrow", Estimate: time.Second})
		w.turns("node", 300*time.Millisecond, 10, named("wide"))
		w.submit("node", 1, Terms{Name: "wide", Estimate: time.Second, Needs: task.Resources{Cores: cores}})
		if n := w.turns("node", 300*time.Millisecond, 100, named("wide")); n > 4 {
			t.Errorf("of %d cores: after %d of those that need one", cores, n)
		}
		if n := len(w.runs["node"]); n > 2 || cores > 3 && n > 1 {
			t.Errorf("of %d cores: %d run", cores, n)
		}
		if n := w.turns("node", 300*time.Millisecond, 100, named("narrow")); n > 3 {
			t.Errorf("of %d cores: %d end before the others go on", cores, n)
		}
	}
}

// TestAPeersWideTaskStartsBesideNarrowOnes of the owner's.
func TestAPeersWideTaskStartsBesideNarrowOnes(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"far": 0, "node": 2})
	w.members()
	w.pass(3 * time.Second)
	w.nodes["node"].uplinkTo("far").window = maxWindow
	w.submit("far", 5, Terms{Name: "wide", Kind: task.KindProc, Estimate: 100 * time.Microsecond, Needs: task.Resources{Cores: 2}})
	w.pass(time.Second)
	w.submit("node", 1000, Terms{Name: "narrow", Estimate: 100 * time.Millisecond})
	w.pass(time.Second)
	if n := w.turns("node", 300*time.Millisecond, 100, named("narrow")); n > 1 {
		t.Fatalf("%d end before a narrow one starts", n)
	}
	if w.nodes["node"].ups["far"].unstarted() == 0 {
		t.Fatal("the node holds no other wide task")
	}
	if n := w.turns("node", 300*time.Millisecond, 100, named("wide")); n > 8 {
		t.Errorf("after %d of the owner's", n)
	}
}

// TestWhatIsReservedIsOfferedToNobody: peers are told that no core is free.
func TestWhatIsReservedIsOfferedToNobody(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"node": 4})
	w.submit("node", 4, Terms{Name: "narrow", Estimate: time.Second})
	w.submit("node", 1, Terms{Name: "wide", Needs: task.Resources{Cores: 3}})
	w.turns("node", 300*time.Millisecond, 2, named("wide"))
	node := w.nodes["node"]
	if node.inUse() != 2 || node.free() != 0 || node.room() != 0 {
		t.Errorf("%d of 4 are in use, %d are free, and there is room for %d", node.inUse(), node.free(), node.room())
	}
	w.submit("node", 1, Terms{Name: "late"})
	late := node.jobOrder[2].id
	if text := strings.Join(node.Explain(late, 0), "\n"); !strings.Contains(text, "is kept for a task of") || !strings.Contains(text, "3 cores") {
		t.Errorf("explain does not tell why it waits:\n%s", text)
	}
	if text := strings.Join(node.Explain(node.jobOrder[1].id, 0), "\n"); !strings.Contains(text, "2 of the 4 cores here are in use") {
		t.Errorf("explain does not tell what it waits for:\n%s", text)
	}
}

// TestAReservationEndsWithWhatItIsFor: no core idles for what cannot start.
func TestAReservationEndsWithWhatItIsFor(t *testing.T) {
	for what, end := range map[string]func(w *concert, wide JobID){
		"cancelled": func(w *concert, wide JobID) { w.step("node", CancelJob{wide}) },
		"paused":    func(w *concert, wide JobID) { w.step("node", PauseJob{Job: wide, On: true}) },
		"taken": func(w *concert, wide JobID) {
			w.members()
			w.pass(time.Second)
		},
	} {
		w := newConcert(t, map[PeerID]int{"node": 2, "peer": 2})
		w.submit("node", 1000, Terms{Name: "narrow", Kind: "here", Estimate: time.Second})
		w.submit("node", 1, Terms{Name: "wide", Needs: task.Resources{Cores: 2}, Estimate: time.Second})
		node := w.nodes["node"]
		w.turns("node", 300*time.Millisecond, 1, named("wide"))
		if node.tenants.reserved == nil || len(w.runs["node"]) != 1 {
			t.Fatalf("%s: %d run, and nothing is reserved", what, len(w.runs["node"]))
		}
		end(w, node.jobOrder[1].id)
		if len(w.runs["node"]) != 2 || node.free() != 0 {
			t.Errorf("%s: %d run", what, len(w.runs["node"]))
		}
		if what == "taken" && len(w.runs["peer"]) != 1 {
			t.Error("nobody has taken it")
		}
	}
}

// TestAReservationEndsWithItsLease: and with the peer whose it is.
func TestAReservationEndsWithItsLease(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"far": 0, "node": 2})
	w.members()
	w.pass(3 * time.Second)
	w.nodes["node"].uplinkTo("far").window = maxWindow
	w.submit("far", 5, Terms{Name: "wide", Kind: task.KindProc, Estimate: 100 * time.Microsecond, Needs: task.Resources{Cores: 2}})
	w.pass(time.Second)
	w.submit("node", 1000, Terms{Name: "narrow", Estimate: 100 * time.Millisecond})
	w.pass(time.Second)
	node := w.nodes["node"]
	for node.tenants.reserved == nil {
		w.turns("node", 300*time.Millisecond, 1, named("none"))
	}
	w.deaf["node"] = true
	w.pass(node.ups["far"].lanes[0].until - startLeft/2 - w.now)
	w.step("node", Tick{})
	if node.tenants.reserved != nil || node.inUse() != 2 {
		t.Errorf("%d of 2 cores are in use, the reservation is of %+v", node.inUse(), node.tenants.reserved)
	}
}

// TestMemoryOfRunningTasksIsSummed: what is declared together is within the bound; who declares none goes on meanwhile,
// and who declares much does not wait behind those who declare little.
func TestMemoryOfRunningTasksIsSummed(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"node": 4})
	cfg := w.nodes["node"].cfg
	cfg.Memory = 100
	w.nodes["node"] = New(cfg, w.now)
	w.submit("node", 100, Terms{Name: "little", Estimate: time.Second, Needs: task.Resources{Memory: 40}})
	if n := len(w.runs["node"]); n != 2 {
		t.Fatalf("%d tasks of 40 run in 100", n)
	}
	w.submit("node", 1, Terms{Name: "much", Estimate: time.Second, Needs: task.Resources{Memory: 90}})
	w.submit("node", 2, Terms{Name: "none", Estimate: time.Second, Needs: task.Resources{Memory: -90}})
	node := w.nodes["node"]
	if n := len(w.runs["node"]); n != 4 {
		t.Fatalf("%d run on 4 cores", n)
	}
	started := w.turns("node", 300*time.Millisecond, 100, func(r Run) bool {
		sum := int64(0)
		for _, r := range w.runs["node"] {
			sum += max(0, r.Terms.Needs.Memory)
		}
		if sum > 100 {
			t.Errorf("those that run have declared %d of 100", sum)
		}
		return r.Terms.Name == "much"
	})
	if started > 8 {
		t.Errorf("much starts after %d others", started)
	}
	text := strings.Join(node.Explain(node.jobOrder[0].id, 99), "\n")
	if !strings.Contains(text, "MiB here") && !strings.Contains(text, "is kept for") {
		t.Errorf("explain does not tell why it waits:\n%s", text)
	}
	for k := range node.jobOrder {
		w.step("node", CancelJob{node.jobOrder[k].id})
	}
	for len(w.runs["node"]) > 0 {
		w.done("node", time.Second)
	}
	if node.memory != 0 || node.busy != 0 {
		t.Errorf("%d bytes and %d cores are held by nobody", node.memory, node.busy)
	}
}

// TestAChildPassesReservations of its owner's, and its parent's memory is no obstacle for ever.
func TestAChildPassesReservations(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"node": 2})
	cfg := w.nodes["node"].cfg
	cfg.Memory = 100
	w.nodes["node"] = New(cfg, w.now)
	w.submit("node", 2, Terms{Name: "parent", Estimate: time.Second, Needs: task.Resources{Memory: 50}})
	w.submit("node", 1, Terms{Name: "wide", Needs: task.Resources{Cores: 2}})
	w.step("node", Slack{1})
	if node := w.nodes["node"]; len(w.runs["node"]) != 2 || !node.collects() {
		t.Fatal("nothing is reserved")
	}
	w.submit("node", 1, Terms{Name: "child", Child: true})
	if n := len(w.runs["node"]); n != 3 {
		t.Fatalf("the child does not pass: %d run", n)
	}
	w.submit("node", 1, Terms{Name: "heavy", Child: true, Needs: task.Resources{Memory: 20}})
	w.submit("node", 1000, Terms{Name: "narrow"})
	for range 2 { // the wide one and the first child; both parents wait
		k := slices.IndexFunc(w.runs["node"], func(r Run) bool { return r.Terms.Name == "child" || r.Terms.Name == "wide" })
		if k < 0 {
			break
		}
		r := w.runs["node"][k]
		w.runs["node"] = slices.Delete(w.runs["node"], k, k+1)
		w.step("node", Finished{Piece: r.Piece, State: task.Done, Ran: time.Second})
		w.step("node", Slack{2})
	}
	for range 20 {
		if slices.ContainsFunc(w.runs["node"], named("heavy")) {
			return
		}
		k := slices.IndexFunc(w.runs["node"], func(r Run) bool { return r.Terms.Name != "parent" })
		if k < 0 {
			break
		}
		r := w.runs["node"][k]
		w.runs["node"] = slices.Delete(w.runs["node"], k, k+1)
		w.step("node", Finished{Piece: r.Piece, State: task.Done, Ran: time.Second})
	}
	t.Error("a child waits for memory that its parents hold")
}
