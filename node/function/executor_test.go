package function_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/filchsched/filch/exec"
	"github.com/filchsched/filch/exec/call"
	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/node/function"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

func newExecutor(t testing.TB, funcs map[string]call.Func) *function.Executor {
	t.Helper()
	r := new(call.Registry)
	for name, f := range funcs {
		if err := r.Register(name, f); err != nil {
			t.Fatal(err)
		}
	}
	e, err := exec.New(exec.Config{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	x := function.New("me", r, e)
	t.Cleanup(func() { x.Close(); e.Close() })
	return x
}

func piece(home core.PeerID, lo uint64, name string, bodies ...string) steal.Run {
	r := steal.Run{Header: []byte(name)}
	for _, b := range bodies {
		r.Bodies = append(r.Bodies, []byte(b))
	}
	r.Piece = core.Piece{Job: core.JobID{Home: home, Seq: 1}, Span: core.Span{Lo: lo, Hi: lo + uint64(len(bodies))}, Attempt: core.Attempt{Incarnation: 1, N: uint32(lo + 1)}}
	return r
}

func start(x *function.Executor, r steal.Run) steal.End {
	ends := make(chan steal.End, 1)
	x.Start(r, func(e steal.End) { ends <- e })
	return <-ends
}

// TestEndsOfCalls: each call of a piece ends by itself, whatever its neighbours do.
func TestEndsOfCalls(t *testing.T) {
	x := newExecutor(t, map[string]call.Func{"f": func(_ context.Context, b []byte) ([]byte, error) {
		switch string(b) {
		case "panic":
			panic("oh")
		case "error":
			return nil, errors.New("no")
		case "long":
			return bytes.Repeat([]byte("x"), 1<<20), nil
		}
		return bytes.ToUpper(b), nil
	}})
	e := start(x, piece("you", 10, "f", "a", "panic", "b", "error", "long", "c"))
	if e.State != task.Done || len(e.Values) != 6 || string(e.Values[0]) != "A" || string(e.Values[2]) != "B" || string(e.Values[5]) != "C" || e.Ran <= 0 {
		t.Errorf("%+v", e)
	}
	if len(e.Exceptions) != 2 || e.Exceptions[0].Index != 11 || e.Exceptions[1].Index != 13 || e.Exceptions[1].Reason != "no" || e.Exceptions[0].Smell {
		t.Errorf("%+v", e.Exceptions)
	}
	if why := e.Exceptions[0].Reason; !strings.HasPrefix(why, "panic: oh\n") || !strings.Contains(why, "executor_test.go") {
		t.Errorf("a panic's reason: %s", why)
	}
	if len(e.Outputs) != 1 || e.Outputs[0].Index != 14 || e.Outputs[0].Data.Len() != 1<<20 {
		t.Fatalf("%+v", e.Outputs)
	}
	if b, err := io.ReadAll(e.Outputs[0].Data.Reader()); err != nil || len(b) != 1<<20 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

// TestUnknownFunctionSmells of this node, so that another is asked.
func TestUnknownFunctionSmells(t *testing.T) {
	x := newExecutor(t, nil)
	e := start(x, piece("you", 0, "nobody", "a"))
	if e.State != task.Failed || !e.Smell || !strings.Contains(e.Reason, `unknown function "nobody"`) {
		t.Errorf("%+v", e)
	}
	r := piece("you", 0, "nobody", "a")
	r.Bodies = nil
	if e := start(x, r); e.State != task.Failed || !e.Smell {
		t.Errorf("without arguments: %+v", e)
	}
}

// TestHaltedCallsHaveNoOutcome, whether they have begun or not.
func TestHaltedCallsHaveNoOutcome(t *testing.T) {
	begun := make(chan struct{}, 4)
	x := newExecutor(t, map[string]call.Func{"wait": func(ctx context.Context, _ []byte) ([]byte, error) {
		begun <- struct{}{}
		<-ctx.Done()
		return []byte("late"), nil
	}})
	ends := make(chan steal.End, 3)
	var runs []steal.Run
	for i := range uint64(3) {
		r := piece("you", i, "wait", "a")
		runs = append(runs, r)
		x.Start(r, func(e steal.End) { ends <- e })
	}
	<-begun
	<-begun
	for _, r := range runs {
		x.Halt(r.Piece)
	}
	for range runs {
		if e := <-ends; e.State != task.Cancelled || len(e.Values) > 0 {
			t.Errorf("%+v", e)
		}
	}
}

// BenchmarkPiece is what a piece of 64 short calls costs.
func BenchmarkPiece(b *testing.B) {
	x := newExecutor(b, map[string]call.Func{"add": func(_ context.Context, a []byte) ([]byte, error) {
		return binary.LittleEndian.AppendUint64(nil, binary.LittleEndian.Uint64(a)+1), nil
	}})
	r := piece("you", 0, "add", make([]string, 64)...)
	for i := range r.Bodies {
		r.Bodies[i] = make([]byte, 16)
	}
	ends := make(chan steal.End, 1)
	b.ReportAllocs()
	for b.Loop() {
		x.Start(r, func(e steal.End) { ends <- e })
		<-ends
	}
	b.ReportMetric(64*float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}
