package core

import (
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// shop is a node whose one core serves tasks of a fixed length, one after another.
// served calls f with every task that starts there, until f says so.
func (w *concert) served(id PeerID, takes time.Duration, f func(Run) (enough bool)) {
	for range 100000 {
		if len(w.runs[id]) == 0 {
			w.pass(takes)
			continue
		}
		for _, r := range w.runs[id] {
			if f(r) {
				return
			}
		}
		w.pass(takes)
		w.done(id, takes)
	}
	w.t.Fatal("it goes on for ever")
}

// TestOneTaskDoesNotWaitBehindAThousand: two homes at one peer.
func TestOneTaskDoesNotWaitBehindAThousand(t *testing.T) {
	const takes = 100 * time.Millisecond
	w := newConcert(t, map[PeerID]int{"many": 0, "one": 0, "peer": 1})
	w.members()
	w.pass(3 * time.Second)
	peer := w.nodes["peer"]
	peer.uplinkTo("many").window, peer.uplinkTo("one").window = maxWindow, maxWindow
	// The peer holds all of one home's before the other comes.
	w.submit("many", 1000, Terms{Name: "f", Kind: task.KindProc, Estimate: 100 * time.Microsecond})
	w.pass(time.Second)
	held := peer.Held()
	peer.est.by["f"] = &estimate{mean: takes, p90: takes, samples: 1}
	u := peer.uplinkTo("one")
	peer.thief.offers++
	u.offer = ask{n: peer.thief.offers, standing: true}
	w.pass(time.Second)
	o := Offer{N: u.offer.n, Standing: true, Cores: 1, Tasks: 1, Time: time.Second, Kinds: peer.cfg.Kinds}
	u.send(peer, o)
	w.step("one", Received{From: "peer", Up: true, Frame: Frame{Inc: 1, Epoch: u.epoch, Seq: u.seq, Msg: o}})
	w.submit("one", 1, Terms{Name: "f"})
	w.settle()
	begin, before, waited := w.now, 0, time.Duration(-1)
	w.served("peer", takes, func(r Run) bool {
		if r.Piece.Job.Home == "one" {
			waited = w.now - begin
			return true
		}
		before++
		return before > 50
	})
	t.Logf("beside %d of another home that were there before, one task waited %v, for %d others", held, waited, before)
	if waited < 0 || before > 3 {
		t.Errorf("it waits for %d others", before)
	}
}

// TestOwnWorkBesidePeers: each has its weight, whoever was first.
func TestOwnWorkBesidePeers(t *testing.T) {
	const takes = 100 * time.Millisecond
	for _, test := range []struct {
		nice     int
		from, to float64 // the peers' share
	}{{0, 0.45, 0.55}, {5, 0.2, 0.3}, {-5, 0.7, 0.8}, {19, 0, 0.04}} {
		w := newConcert(t, map[PeerID]int{"far": 0, "node": 1})
		cfg := w.nodes["node"].cfg
		cfg.PeersNice = test.nice
		w.nodes["node"] = New(cfg, w.now)
		w.members()
		w.pass(3 * time.Second)
		node := w.nodes["node"]
		node.uplinkTo("far").window = maxWindow
		w.submit("far", 1000, Terms{Name: "f", Kind: task.KindProc, Estimate: 100 * time.Microsecond})
		w.pass(time.Second)
		node.est.by["f"] = &estimate{mean: takes, p90: takes, samples: 1}
		w.submit("node", 1000, Terms{Name: "f"})
		begin, own, others := w.now, 0, 0
		var firstOwn, firstOther time.Duration
		w.served("node", takes, func(r Run) bool {
			if r.Piece.Job.Home == "node" {
				if own++; own == 1 {
					firstOwn = w.now - begin
				}
			} else if others++; others == 2 { // the first runs already
				firstOther = w.now - begin
			}
			return own+others == 60
		})
		share := float64(others) / 60
		t.Logf("peers' nice %d: they have %.2f of the node; the owner's first task waited %v, the peers' next %v", test.nice, share, firstOwn, firstOther)
		if share < test.from || share > test.to {
			t.Errorf("peers' nice %d: they have %.2f of the node, want %.2f to %.2f", test.nice, share, test.from, test.to)
		}
	}
}

// TestNiceActsWithinAHome: between jobs of one, and its number does not matter to others.
func TestNiceActsWithinAHome(t *testing.T) {
	const takes = 100 * time.Millisecond
	w := newConcert(t, map[PeerID]int{"node": 1})
	w.step("node", Tick{})
	w.submit("node", 1000, Terms{Name: "f", Nice: 0, Estimate: takes})
	w.submit("node", 1000, Terms{Name: "g", Nice: 5, Estimate: takes})
	count := map[string]int{}
	w.served("node", takes, func(r Run) bool {
		count[r.Terms.Name]++
		return count["f"]+count["g"] == 200
	})
	if g := count["g"]; g < 40 || g > 60 { // 335 of 1359 are 49 of 200
		t.Errorf("nice 5 has %d of 200", g)
	}
}

// TestWideTasksPayForTheirCores: what is charged is run time × cores, at first by
// estimate and then as it was.
func TestWideTasksPayForTheirCores(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"node": 4})
	w.step("node", Tick{})
	w.submit("node", 1, Terms{Estimate: time.Second, Needs: task.Resources{Cores: 3}})
	node := w.nodes["node"]
	if paid := node.runs[w.runs["node"][0].Piece].turn.Paid(); paid != 3*time.Second {
		t.Errorf("three cores for a second cost %v in advance", paid)
	}
	w.done("node", 100*time.Millisecond)
	if s := node.jobOrder[0].tenant.leaf.Service(); s != 300*time.Millisecond {
		t.Errorf("three cores for 100 ms cost %v", s)
	}
}

// TestGuestsAreTheOwners: their tenant is the owner's, not the peers'.
func TestGuestsAreTheOwners(t *testing.T) {
	w := visit(t, 1, nil)
	w.submit("guest", 3, Terms{})
	w.pass(time.Second)
	node := w.nodes["node"]
	if r := node.runs[w.runs["node"][0].Piece]; r.turn.Job == nil || len(node.tenants.homes) != 0 {
		t.Error("a guest's task is not charged to the owner")
	}
}
