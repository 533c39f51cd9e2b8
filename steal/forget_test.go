package steal

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal/core"
)

// nowhere is a network without anybody, and an executor that takes its time.
type nowhere struct{}

func (nowhere) Open(context.Context, core.PeerID, string) (Stream, error) { return nil, io.EOF }
func (nowhere) Handle(string, func(core.PeerID, Stream))                  {}
func (nowhere) Wants(core.JobID) bool                                     { return true }
func (nowhere) Start(Run, func(End))                                      {}
func (nowhere) Halt(core.Piece)                                           {}
func (nowhere) Leash(uint64, time.Duration)                               {}

// TestRecordedKeepsOutputsOfWhatIsHeld: a grantor also records that a piece went up to its home,
// and then its outputs are still to go there.
func TestRecordedKeepsOutputsOfWhatIsHeld(t *testing.T) {
	now := time.Hour
	kinds := []task.Kind{task.KindFunc}
	home := core.New(core.Config{ID: "home", Incarnation: 1, Kinds: kinds}, now)
	d, err := New(Config{Core: core.Config{ID: "peer", Incarnation: 1, Cores: 1, Kinds: kinds}, Network: nowhere{}, Executor: nowhere{}, Clock: func() time.Duration { return now }})
	if err != nil {
		t.Fatal(err)
	}
	l := newLoop(d)
	var p core.Piece
	type letter struct {
		to *core.Core
		ev core.Event
	}
	step := func(to *core.Core, ev core.Event) {
		for letters := []letter{{to, ev}}; len(letters) > 0; letters = letters[1:] {
			for _, e := range letters[0].to.Step(now, letters[0].ev) {
				switch e := e.(type) {
				case core.Run:
					p = e.Piece
				case core.Send:
					to, from := home, core.PeerID("peer")
					if e.To == "peer" {
						to, from = l.core, "home"
					}
					letters = append(letters, letter{to, core.Received{From: from, Up: e.Up, Frame: e.Frame}})
				}
			}
		}
	}
	members := core.Members{List: []core.Member{{Peer: "home"}, {Peer: "peer"}}}
	step(home, members)
	step(l.core, members)
	step(home, core.Submit{Ref: 1, N: 1, Terms: core.Terms{Name: "f", Kind: task.KindFunc}})
	step(l.core, core.Candidates{List: []core.Candidate{{Peer: "home", Surplus: time.Second}}})
	for range 100 {
		now += 10 * time.Millisecond
		step(l.core, core.Tick{})
		step(home, core.Tick{})
	}
	if len(l.core.HeldOf(p)) != 1 {
		t.Fatal("the task did not come")
	}
	other := p
	other.Attempt.N++
	for _, of := range []core.Piece{p, other} {
		l.outputs.put(outputKey{of.Job, 0, of.Attempt}, Output{Data: memory("x")})
	}
	l.recorded([]core.Piece{p, other})
	if len(l.outputs.take(outputKey{p.Job, 0, p.Attempt})) != 1 {
		t.Error("the outputs of what is held are gone")
	}
	if len(l.outputs.take(outputKey{other.Job, 0, other.Attempt})) != 0 {
		t.Error("the outputs of what is not held are kept")
	}
}
