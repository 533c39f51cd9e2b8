package story

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/filchsched/filch/node/control"
	"github.com/filchsched/filch/steal/core"
)

// pipe is a stream in memory.
type pipe struct{ net.Conn }

func (p pipe) Reset() error      { return p.Close() }
func (p pipe) CloseWrite() error { return nil }

var clock = Clock{Now: time.Hour, Wall: time.Date(2026, 1, 2, 10, 0, 0, 0, time.UTC)}

var told = core.Story{
	Home: true, State: "committed",
	Lines: []core.Line{
		{At: time.Hour - time.Minute, What: "granted to", Span: core.Span{Lo: 0, Hi: 4}, Attempt: core.Attempt{Incarnation: 1, N: 7}, Peer: "A", Why: "it offered room",
			Choice: core.Choice{Level: 6, Here: 2 * time.Second, Queue: 50 * time.Millisecond, Transfer: time.Millisecond, Task: time.Second, Return: 2 * time.Millisecond, Age: 3 * time.Second}},
		{At: time.Hour - time.Second, What: "committed from", Span: core.Span{Lo: 2, Hi: 3}, Attempt: core.Attempt{Incarnation: 1, N: 7}, Peer: "B", Why: "failed, exit 3"},
	},
	Refusals: []core.RefusalCount{{Peer: "C", Reason: "label missing", Tasks: 12}},
	Failures: 1,
}

// TestAnAccountForPeople has times of day, names, and every estimate with its unit.
func TestAnAccountForPeople(t *testing.T) {
	a := []control.Account{Of("H", &told, clock), {ByID: "A", Events: []control.Incident{}, Holders: []control.Holder{{NodeID: "A", Attempt: 7, State: "running", LentTo: "B"}}}, {ByID: "C"}}
	Name(a, strings.ToLower)
	want := []string{
		"09:59:00.000 attempt 7 granted to a with tasks 0-3: it offered room; expected: here in 2s, there in 51ms (queue 50ms, transfer 1ms), run 1s, return 2ms; level rack, load data 3s old",
		"09:59:59.000 attempt 7 committed from b: failed, exit 3",
		"now committed",
		"failures 1, charged losses 0, blamed on nodes 0, suspect false",
		"c: refused 12 times: label missing",
		"as a tells:",
		"held by a as attempt 7: running, lent on to b",
	}
	if got := Lines(a); !slices.Equal(got, want) {
		t.Errorf("it says\n%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if s := State(&a[0]); s != control.TaskFailed {
		t.Errorf("it is %s", s)
	}
	if p := Peers(&a[0]); !slices.Equal(p, []string{"A"}) {
		t.Errorf("it was with %v", p)
	}
	if e := a[0].Events[0].Estimates; e.Level != "rack" || e.LoadAge != 3 || a[0].Events[1].Estimates != nil {
		t.Errorf("%+v", e)
	}
}

// TestAsking carries a question and its answer, and a farewell, from which the account of each task can be had.
func TestAsking(t *testing.T) {
	near, far := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		Answer(t.Context(), pipe{far}, func(_ context.Context, q control.Explaining) control.Explained {
			a := Of("H", &told, clock)
			a.State = q.Task
			return control.Explained{Account: &a}
		})
	}()
	if a, err := Ask(t.Context(), pipe{near}, control.Explaining{Task: "x/1.1/2"}); err != nil || a.Account.State != "x/1.1/2" || len(a.Account.Events) != 2 {
		t.Errorf("%+v, %v", a, err)
	}
	<-done
	near, far = net.Pipe()
	all := core.JobStory{Tasks: 4, Lines: told.Lines, Refusals: told.Refusals}
	errs := make(chan error, 1)
	go func() { errs <- Leave(t.Context(), pipe{near}, FarewellOf(&all, clock)) }()
	f, err := Receive(t.Context(), pipe{far})
	if sent := <-errs; err != nil || sent != nil {
		t.Fatal(err, sent)
	}
	if a := f.Account("H", 2); len(a.Events) != 2 || State(&a) != control.TaskFailed || len(a.Refusals) != 1 {
		t.Errorf("%+v", a)
	}
	if a := f.Account("H", 0); len(a.Events) != 1 || State(&a) != "ended" {
		t.Errorf("%+v", a)
	}
}

// TestFramesThatAnnounceTooMuch cost nothing.
func TestFramesThatAnnounceTooMuch(t *testing.T) {
	near, far := net.Pipe()
	go near.Write([]byte{0xff, 0xff, 0xff, 0xff})
	if _, err := Receive(t.Context(), pipe{far}); err != errTooLong {
		t.Errorf("%v", err)
	}
	near.Close()
}

// TestAFarewellIsBounded: of a long story the end is told.
func TestAFarewellIsBounded(t *testing.T) {
	var long core.JobStory
	for i := range uint64(5 * maxTold) {
		long.Lines = append(long.Lines, core.Line{What: "committed from", Span: core.Span{Lo: i, Hi: i + 1}, Why: strings.Repeat("\x01", 10000)})
	}
	f := FarewellOf(&long, clock)
	if len(f.Events) != maxTold || f.Older != 4*maxTold || f.Events[maxTold-1].Lo != 5*maxTold-1 {
		t.Errorf("%d events, %d older", len(f.Events), f.Older)
	}
	near, far := net.Pipe()
	got := make(chan *Farewell, 1)
	go func() { f, _ := Receive(t.Context(), pipe{far}); got <- f }()
	if err := Leave(t.Context(), pipe{near}, f); err != nil {
		t.Error(err)
	}
	if f := <-got; f == nil || f.Older+uint64(len(f.Events)) != 5*maxTold || len(f.Events) < maxTold/4 {
		t.Errorf("of what does not fit %+v came", f)
	}
}
