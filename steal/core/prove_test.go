package core

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

var nonce = [32]byte{1, 2, 3}

// explorers answers Prove for a node with what it finds there.
func (w *concert) explore(id PeerID, content []byte) (n int) {
	for _, e := range w.did[id] {
		p, ok := e.(Prove)
		if !ok {
			continue
		}
		n++
		ev := Proved{Peer: p.Peer, Job: p.Job}
		if content == nil {
			ev.Refused = "no such directory"
		} else {
			ev.MAC = ProveDir(content, p.Job, id)
		}
		w.step(id, ev)
	}
	w.did[id] = nil
	w.settle()
	return n
}

func inDir(t *testing.T) *concert {
	w := newConcert(t, map[PeerID]int{"home": 0, "a": 1, "b": 1})
	w.members()
	w.pass(5 * time.Second)
	w.did = make(map[PeerID][]Effect)
	w.submit("home", 20, Terms{Estimate: time.Minute, Where: Where{Dir: &Dir{Path: "/work", File: "proof", Nonce: nonce}}})
	w.settle()
	return w
}

func TestADirectoryIsProvenBeforeAnyGrant(t *testing.T) {
	w := inDir(t)
	if len(messages[Grant](w, "home", "a"))+len(messages[Grant](w, "home", "b")) > 0 {
		t.Fatal("granted without proof")
	}
	if w.explore("a", nonce[:]) != 1 || w.explore("b", nil) != 1 {
		t.Fatalf("not asked once each: %+v", w.did)
	}
	if len(w.runs["a"]) != 1 || len(w.runs["b"]) != 0 {
		t.Fatalf("runs %+v", w.runs)
	}
	home := w.nodes["home"]
	if s := strings.Join(home.Explain(home.jobOrder[0].id, 19), "\n"); !strings.Contains(s, reasonNoDir+": no such directory") {
		t.Errorf("not told:\n%s", s)
	}
	for range 5 {
		w.done("a", time.Millisecond)
		w.pass(time.Second)
	}
	if n := len(messages[Challenge](w, "home", "a")); n != 1 {
		t.Errorf("who has proven it was asked %d times", n)
	}
	if len(messages[Grant](w, "home", "b")) > 0 {
		t.Error("granted without proof")
	}
}

// TestARefusedProofIsAskedForAgain: the directory may appear; with back-off.
func TestARefusedProofIsAskedForAgain(t *testing.T) {
	w := inDir(t)
	asked := 0
	for range 60 {
		asked += w.explore("b", nil)
		w.pass(time.Second)
	}
	if asked < 3 || asked > 8 {
		t.Errorf("asked %d times in a minute", asked)
	}
	for range 100 {
		w.explore("b", nonce[:])
		w.pass(time.Second)
	}
	if len(w.runs["b"]) != 1 {
		t.Error("the directory is there now, and nothing is granted")
	}
}

func TestAWrongProofIsNone(t *testing.T) {
	w := inDir(t)
	w.explore("a", []byte("another file"))
	job := w.nodes["home"].jobOrder[0].id
	u := w.nodes["b"].ups["home"]
	u.send(w.nodes["b"], Proof{Job: job, MAC: ProveDir(nonce[:], job, "a")}) // somebody else's
	f := w.nodes["b"].out[len(w.nodes["b"].out)-1].(Send)
	w.step("home", Received{From: "b", Up: true, Frame: f.Frame})
	w.settle()
	if len(w.runs["a"])+len(w.runs["b"]) > 0 {
		t.Errorf("runs %+v", w.runs)
	}
}

// TestAnUnaskedProofIsNothing: neither a proof ahead of the question nor a flood of them.
func TestAnUnaskedProofIsNothing(t *testing.T) {
	w := inDir(t)
	home := w.nodes["home"]
	for k := range uint64(1000) {
		home.takeProof(home.downs["a"], &Proof{Job: JobID{"home", k}, MAC: ProveDir(nonce[:], JobID{"home", k}, "a")})
	}
	if n := len(home.downs["a"].proofs); n != 1 {
		t.Errorf("%d proofs are kept", n)
	}
}

// TestTooManyChallengesAreRefused: they cost a look at the disk each.
func TestTooManyChallengesAreRefused(t *testing.T) {
	w := inDir(t)
	a := w.nodes["a"]
	u := a.ups["home"]
	a.out = nil
	for k := range uint64(1000) {
		a.challenged(u, &Challenge{Job: JobID{"home", k}, Path: "/", File: "x"})
	}
	asks := 0
	for _, e := range a.out {
		if _, ok := e.(Prove); ok {
			asks++
		}
	}
	if asks >= maxProving+1 || len(u.proving) > maxProving {
		t.Errorf("%d looks, %d are remembered", asks, len(u.proving))
	}
}

// TestAReconnectAsksAgain: the epoch's end is the proof's.
func TestAReconnectAsksAgain(t *testing.T) {
	w := inDir(t)
	w.explore("a", nonce[:])
	w.done("a", time.Second)
	w.step("a", Broken{Peer: "home", Up: true, Epoch: w.nodes["a"].ups["home"].epoch})
	w.done("a", time.Second)
	w.pass(5 * time.Second)
	w.explore("a", nonce[:])
	w.pass(time.Second)
	if n := len(messages[Challenge](w, "home", "a")); n != 2 {
		t.Errorf("asked %d times", n)
	}
}

// TestEverybodyAsksForTheDirectory: also the node that holds a guest's tasks; the
// node itself need not prove to its guest.
func TestEverybodyAsksForTheDirectory(t *testing.T) {
	w := visit(t, 1, map[PeerID]int{"peer": 1})
	w.did = make(map[PeerID][]Effect)
	w.submit("guest", 5, Terms{Where: Where{Dir: &Dir{Path: "/work", File: "proof", Nonce: nonce}}})
	w.pass(2 * time.Second)
	if len(w.runs["node"]) != 1 {
		t.Error("the node does not run its guest's task")
	}
	if len(w.runs["peer"]) != 0 || len(messages[Challenge](w, "node", "peer")) != 1 {
		t.Fatalf("the peer was not asked: %+v", w.runs)
	}
	w.explore("peer", nonce[:])
	w.pass(time.Second)
	if len(w.runs["peer"]) != 1 {
		t.Error("the peer has proven the directory and runs nothing")
	}
}

// TestManyDirectoriesAreProvenInTurn: a home with more jobs than proofs are kept of does not ask for them round and
// round, and all of them run.
func TestManyDirectoriesAreProvenInTurn(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "a": 1})
	w.members()
	w.pass(5 * time.Second)
	w.did = make(map[PeerID][]Effect)
	const jobs = 2 * maxProofs
	for k := range jobs {
		w.submit("home", 1, Terms{Estimate: time.Second, Where: Where{Dir: &Dir{Path: fmt.Sprint("/work", k/20), File: "proof", Nonce: nonce}}})
	}
	ran := 0
	for range 3 * jobs {
		w.settle()
		w.explore("a", nonce[:])
		w.pass(100 * time.Millisecond)
		ran += w.done("a", 100*time.Millisecond)
	}
	asked := len(messages[Challenge](w, "home", "a"))
	if ran != jobs || asked > 2*jobs {
		t.Errorf("%d of %d jobs have run, after %d challenges", ran, jobs, asked)
	}
}

// TestARefusalIsOfTheDirectory: jobs of one that a peer has not are not asked for one by one, and do not keep
// those of another from being asked for.
func TestARefusalIsOfTheDirectory(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "a": 1})
	w.members()
	w.pass(5 * time.Second)
	w.did = make(map[PeerID][]Effect)
	for k := range 2 * maxProofs {
		dir := &Dir{Path: "/missing", File: "proof", Nonce: nonce}
		if k >= maxProofs {
			dir = &Dir{Path: "/work", File: "proof", Nonce: nonce}
		}
		w.submit("home", 1, Terms{Estimate: time.Second, Where: Where{Dir: dir}})
	}
	missing, ran := 0, 0
	for range 100 {
		w.settle()
		for _, e := range w.did["a"] {
			if p, ok := e.(Prove); ok && p.Path == "/missing" {
				missing++
				w.step("a", Proved{Peer: p.Peer, Job: p.Job, Refused: "no such directory"})
			} else if ok {
				w.step("a", Proved{Peer: p.Peer, Job: p.Job, MAC: ProveDir(nonce[:], p.Job, "a")})
			}
		}
		w.did["a"] = nil
		w.pass(100 * time.Millisecond)
		ran += w.done("a", 100*time.Millisecond)
	}
	if missing > 20 || ran < 30 {
		t.Errorf("%d challenges for a directory that is missing, %d tasks of the other have run", missing, ran)
	}
}
