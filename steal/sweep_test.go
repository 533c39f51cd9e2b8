package steal

import (
	"context"
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal/core"
)

type noNetwork struct{ Network }

type noExecutor struct{ Executor }

func (noExecutor) Wants(core.JobID) bool { return true }

// sweptLoop is a loop that nobody runs, and that may be granted tasks by "home".
func sweptLoop(t *testing.T) (l *loop, epoch uint64) {
	t.Helper()
	d, err := New(Config{
		Core:    core.Config{ID: "a", Incarnation: 1, Cores: 1, Kinds: []task.Kind{task.KindFunc}},
		Network: noNetwork{}, Executor: noExecutor{}, Clock: func() time.Duration { return 0 },
	})
	if err != nil {
		t.Fatal(err)
	}
	d.ctx = context.Background()
	l = newLoop(d)
	t.Cleanup(l.end)
	l.core.Step(0, core.Members{List: []core.Member{{Peer: "a"}, {Peer: "home"}}})
	for _, e := range l.core.Step(0, core.Tick{}) {
		if o, ok := e.(core.Open); ok && o.Peer == "home" {
			epoch = o.Epoch
		}
	}
	if epoch == 0 {
		t.Fatal("no channel was opened to leave an offer")
	}
	l.core.Step(0, core.Received{From: "home", Frame: core.Frame{Inc: 1, Epoch: epoch, Seq: 1, Msg: core.Ack{Lanes: []core.LaneLeft{{Left: core.HolderTTL}}}}})
	return l, epoch
}

// grantTo is n tasks of a job, with header and bodies, from a peer. The core hears of them if told.
func (l *loop) grantTo(from core.PeerID, p core.Piece) core.Grant {
	g := core.Grant{N: 1, Parts: []core.Part{{Piece: p, Terms: core.Terms{Kind: task.KindFunc, Name: "f"}}}}
	l.bodies.putHeader(bodyKey{from, p.Job}, []byte("header"))
	l.bodies.put(bodyKey{from, p.Job}, p.Lo, make([][]byte, p.Len()))
	l.granted(from, &g)
	return g
}

// TestSweepForgets: what the core has dropped without a word does not fill the room for bodies, nor that for headers,
// whoever it came from; what is held stays.
func TestSweepForgets(t *testing.T) {
	l, epoch := sweptLoop(t)
	first := core.Attempt{Incarnation: 1, N: 1}
	kept := core.Piece{Job: core.JobID{Home: "home", Seq: 1}, Span: core.Span{Lo: 0, Hi: 10}, Attempt: first}
	g := l.grantTo("home", kept)
	l.core.Step(0, core.Received{From: "home", Frame: core.Frame{Inc: 1, Epoch: epoch, Seq: 2, Msg: g}})
	if got := l.core.HeldOf(kept); len(got) == 0 {
		t.Fatal("the grant was not taken")
	}
	size := l.bodies.size

	stale := kept // of the same job, so that the job as a whole is never idle
	stale.Span = core.Span{Lo: 20, Hi: 30}
	l.grantTo("home", stale)
	gone := core.Piece{Job: core.JobID{Home: "home", Seq: 2}, Span: core.Span{Lo: 0, Hi: 10}, Attempt: first}
	l.grantTo("home", gone)
	gone.Span = core.Span{Lo: 10, Hi: 20}
	l.grantTo("middle", gone)

	l.sweep()
	if l.bodies.size != size {
		t.Errorf("after a sweep bodies take %d bytes, not %d", l.bodies.size, size)
	}
	if _, ok := l.origins[gone.Job]; ok {
		t.Errorf("origins of a job of which nothing is held: %v", l.origins[gone.Job])
	}
	if len(l.bodies.of) != 3 {
		t.Errorf("%d headers after one sweep: they go at the second", len(l.bodies.of))
	}
	l.sweep()
	if len(l.bodies.of) != 1 {
		t.Errorf("%d headers after two sweeps, not that of what is held", len(l.bodies.of))
	}
	if _, data, missing, noHeader := l.bodies.get(bodyKey{"home", kept.Job}, kept.Span); len(data) != 10 || missing.Len() > 0 || noHeader {
		t.Errorf("of what is held %d bodies are left, without a header: %v", len(data), noHeader)
	}
	if from := l.originOf(kept); from != "home" {
		t.Errorf("what is held comes from %q", from)
	}
}

// TestSweepEnds: a node that holds nothing sets no timer for it.
func TestSweepEnds(t *testing.T) {
	l, _ := sweptLoop(t)
	l.grantTo("home", core.Piece{Job: core.JobID{Home: "home", Seq: 1}, Span: core.Span{Lo: 0, Hi: 10}, Attempt: core.Attempt{Incarnation: 1, N: 1}})
	if !l.sweeping {
		t.Fatal("a grant asks for no sweep")
	}
	l.sweep()
	if !l.sweeping {
		t.Error("no second sweep, though a header is left")
	}
	l.sweep()
	if l.sweeping {
		t.Error("a sweep is due, though nothing is left")
	}
}
