package core

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// A concert is some nodes that hear each other at once, for tests of single
// exchanges. What the engine is told to run ends when the test says so.
type concert struct {
	t     *testing.T
	now   time.Duration
	nodes map[PeerID]*Core
	order []PeerID
	wire  []flight
	sent  []flight // everything, in order
	runs  map[PeerID][]Run
	did   map[PeerID][]Effect
	deaf  map[PeerID]bool // frames to it wait
}

type flight struct {
	from, to PeerID
	up       bool
	frame    Frame
}

func newConcert(t *testing.T, cores map[PeerID]int) *concert {
	w := &concert{t: t, now: time.Hour, nodes: make(map[PeerID]*Core), runs: make(map[PeerID][]Run), did: make(map[PeerID][]Effect), deaf: make(map[PeerID]bool)}
	for id := range cores {
		w.order = append(w.order, id)
	}
	slices.Sort(w.order)
	for _, id := range w.order {
		cfg := Config{ID: id, Incarnation: 1, Cores: cores[id], Kinds: []task.Kind{task.KindFunc, task.KindProc}, Check: true}
		copy(cfg.Key[:], id)
		w.nodes[id] = New(cfg, w.now)
	}
	return w
}

// step hands one event to a node, without letting the others answer.
func (w *concert) step(id PeerID, ev Event) {
	for _, e := range w.nodes[id].Step(w.now, ev) {
		w.did[id] = append(w.did[id], e)
		switch e := e.(type) {
		case Send:
			f := flight{id, e.To, e.Up, e.Frame}
			w.wire = append(w.wire, f)
			w.sent = append(w.sent, f)
		case Run:
			w.runs[id] = append(w.runs[id], e)
		}
	}
}

// settle delivers everything that is under way and what comes of it.
func (w *concert) settle() {
	for n := 0; ; n++ {
		k := slices.IndexFunc(w.wire, func(f flight) bool { return !w.deaf[f.to] })
		if k < 0 {
			return
		}
		if n > 100000 {
			w.t.Fatal("they talk for ever")
		}
		f := w.wire[k]
		w.wire = slices.Delete(w.wire, k, k+1)
		w.step(f.to, Received{From: f.from, Up: f.up, Frame: f.frame})
	}
}

// pass lets time go by, with every alarm.
func (w *concert) pass(d time.Duration) {
	for end := w.now + d; ; {
		at := end
		for _, id := range w.order {
			if due, ok := w.nodes[id].Next(); ok {
				at = min(at, max(due, w.now))
			}
		}
		w.now = at
		for _, id := range w.order {
			if due, ok := w.nodes[id].Next(); ok && due <= w.now {
				w.step(id, Tick{})
			}
		}
		w.settle()
		if at >= end {
			return
		}
	}
}

// done ends everything that runs at a node, after a time.
func (w *concert) done(id PeerID, took time.Duration) (n int) {
	runs := w.runs[id]
	w.runs[id] = nil
	for _, r := range runs {
		w.step(id, Finished{Piece: r.Piece, State: task.Done, Ran: took * time.Duration(r.Piece.Len())})
		n += int(r.Piece.Len())
	}
	w.settle()
	return n
}

// know tells a node that a peer has surplus.
func (w *concert) know(id, peer PeerID, level uint8, surplus time.Duration) {
	w.step(id, Candidates{[]Candidate{{Peer: peer, Level: level, Surplus: surplus}}})
}

// members tells everybody who is there.
func (w *concert) members() {
	var list []Member
	for _, id := range w.order {
		list = append(list, Member{Peer: id})
	}
	for _, id := range w.order {
		w.step(id, Members{list})
	}
}

// messages returns what was sent from one node to another, of one type.
func messages[M Message](w *concert, from, to PeerID) (all []M) {
	for _, f := range w.sent {
		if m, ok := f.frame.Msg.(M); ok && f.from == from && f.to == to {
			all = append(all, m)
		}
	}
	return all
}

func (w *concert) submit(id PeerID, n uint64, t Terms) {
	if t.Name == "" {
		t.Name = "f"
	}
	if t.Kind == "" {
		t.Kind = task.KindFunc
	}
	w.step(id, Submit{Ref: 1, Terms: t, N: n})
}

func (m *concert) String() string {
	text := ""
	for _, f := range m.sent {
		text += fmt.Sprintf("%s -> %s %T%+v\n", f.from, f.to, f.frame.Msg, f.frame.Msg)
	}
	return text
}
