package home_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/node/home"
	"github.com/filchsched/filch/steal/core"
)

func command(bodies ...string) home.Submission {
	s := home.Submission{Title: "test", Terms: core.Terms{Name: "sh", Kind: task.KindProc}, Header: []byte("h")}
	for _, b := range bodies {
		s.Bodies = append(s.Bodies, []byte(b))
	}
	return s
}

// TestJobKeepsAnOutcomePerTask, with what it returned or why it failed.
func TestJobKeepsAnOutcomePerTask(t *testing.T) {
	table := newTable(t, func(_ core.JobID, header, body []byte) ([]byte, error) {
		if string(header) != "h" {
			t.Errorf("header %q", header)
		}
		switch string(body) {
		case "bad":
			return nil, errors.New("no good")
		case "long":
			return bytes.Repeat([]byte("x"), 1000), nil
		}
		return bytes.ToUpper(body), nil
	})
	j, err := table.Submit(t.Context(), command("a", "bad", "long", "d"))
	if err != nil {
		t.Fatal(err)
	}
	var failed *home.JobError
	if err := j.Wait(t.Context()); !errors.As(err, &failed) || failed.First.Index != 1 || !strings.Contains(err.Error(), "1 of 4 tasks failed, the first: task 1: no good") {
		t.Fatalf("%v", err)
	}
	got := map[int]string{}
	for o := range j.Results(t.Context()) {
		got[o.Index] = fmt.Sprintf("%v %d %s %s %d", o.State, o.Exit, o.Reason, o.Host, len(o.Result))
	}
	want := map[int]string{0: "done 0  me 1", 1: "failed 1 no good me 0", 2: "done 0  me 1000", 3: "done 0  me 1"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if c := j.Counts(); c != (home.JobCounts{Done: 3, Failed: 1}) || j.Ended().IsZero() {
		t.Errorf("%+v", c)
	}
	if o := j.Outcomes(1, 2); len(o) != 2 || o[0].Index != 1 || o[1].Index != 2 {
		t.Errorf("a page: %+v", o)
	}
	if _, err := j.Outcome(4); err == nil {
		t.Error("there is a fifth task")
	}
}

// TestSubmitRefuses what is beyond a bound, and says which.
func TestSubmitRefuses(t *testing.T) {
	table := newTable(t, nil)
	if _, err := table.Submit(t.Context(), command()); err == nil {
		t.Error("a job without tasks")
	}
	if _, err := table.Submit(t.Context(), command(strings.Repeat("x", home.MaxBody+1))); !errors.Is(err, home.ErrTooMany) || !strings.Contains(err.Error(), "task 0") {
		t.Errorf("a large task: %v", err)
	}
	s := command()
	s.Bodies = make([][]byte, home.MaxTasks+1)
	if _, err := table.Submit(t.Context(), s); !errors.Is(err, home.ErrTooMany) {
		t.Errorf("too many tasks: %v", err)
	}
	if _, err := table.Calls(t.Context(), core.Terms{}); err == nil {
		t.Error("a function without a name")
	}
	table.Refuse()
	if _, err := table.Submit(t.Context(), command("a")); !errors.Is(err, home.ErrEnded) {
		t.Errorf("after the end: %v", err)
	}
}

// TestCancelAnswersTwice: accepted at once, stopped when what runs has ended.
func TestCancelAnswersTwice(t *testing.T) {
	started, release := make(chan struct{}, 8), make(chan struct{})
	table := newTable(t, func(core.JobID, []byte, []byte) ([]byte, error) {
		started <- struct{}{}
		<-release
		return nil, nil
	})
	j, err := table.Submit(t.Context(), command("a", "b", "c"))
	if err != nil {
		t.Fatal(err)
	}
	<-started
	<-started
	impatient, cancel := context.WithCancel(t.Context())
	stop := make(chan struct{})
	go func() { // gives up once the cancel is accepted
		<-j.Done()
		cancel()
		close(stop)
	}()
	got, err := j.Cancel(impatient)
	if err != nil || !got.Accepted || got.Stopped {
		t.Errorf("while tasks run: %+v, %v", got, err)
	}
	<-stop
	if c := j.Counts(); c.Cancelled != 3 {
		t.Errorf("%+v", c)
	}
	close(release)
	if got, err = j.Cancel(t.Context()); err != nil || !got.Stopped || len(got.Unconfirmed) > 0 {
		t.Errorf("when they have ended: %+v, %v", got, err)
	}
}

// TestCallsReturnExactlyOnce, in whatever order, through callbacks and to those who wait.
func TestCallsReturnExactlyOnce(t *testing.T) {
	table := newTable(t, func(_ core.JobID, name, args []byte) ([]byte, error) {
		n := binary.LittleEndian.Uint64(args)
		if string(name) != "square" {
			return nil, errors.New("unknown")
		}
		if n%10 == 7 {
			return nil, fmt.Errorf("%d is a bad number", n)
		}
		return binary.LittleEndian.AppendUint64(nil, n*n), nil
	})
	calls, err := table.Calls(t.Context(), core.Terms{Name: "square"})
	if err != nil {
		t.Fatal(err)
	}
	if again, err := table.Calls(t.Context(), core.Terms{Name: "square"}); again != calls || err != nil {
		t.Error("equal terms have other calls")
	}
	const each = 3000
	var all sync.WaitGroup
	var mu sync.Mutex
	seen := make([]int, each)
	all.Add(each)
	for n := range uint64(each) {
		err := calls.Go(t.Context(), binary.LittleEndian.AppendUint64(nil, n), func(v []byte, err error) {
			defer all.Done()
			mu.Lock()
			defer mu.Unlock()
			seen[n]++
			if n%10 == 7 {
				if e := new(home.TaskError); !errors.As(err, &e) || e.Node != "me" {
					t.Errorf("%d: %v", n, err)
				}
			} else if err != nil || binary.LittleEndian.Uint64(v) != n*n {
				t.Errorf("%d: %v, %v", n, v, err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for n := range uint64(100) {
		all.Go(func() {
			v, err := calls.Call(t.Context(), binary.LittleEndian.AppendUint64(nil, n*10))
			if err != nil || binary.LittleEndian.Uint64(v) != n*n*100 {
				t.Errorf("%d: %v, %v", n, v, err)
			}
		})
	}
	all.Wait()
	if i := slices.IndexFunc(seen, func(n int) bool { return n != 1 }); i >= 0 {
		t.Errorf("%d was called back %d times", i, seen[i])
	}
}

// TestEndTellsWhoWaits: nobody waits for ever for a node that has ended.
func TestEndTellsWhoWaits(t *testing.T) {
	release := make(chan struct{})
	table := home.New(nil)
	l := &local{t: t, home: table, refs: make(map[uint64]core.JobID), core: core.New(core.Config{ID: "me", Incarnation: 1, Cores: 1}, 0)}
	defer l.tasks.Wait()
	defer close(release)
	l.run = func(core.JobID, []byte, []byte) ([]byte, error) { <-release; return nil, nil }
	table.Begin(l)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = table.Run(ctx) }()
	j, err := table.Submit(ctx, command("a"))
	if err != nil {
		t.Fatal(err)
	}
	calls, err := table.Calls(ctx, core.Terms{Name: "f"})
	if err != nil {
		t.Fatal(err)
	}
	back := make(chan error, 1)
	if err := calls.Go(t.Context(), nil, func(_ []byte, err error) { back <- err }); err != nil {
		t.Fatal(err)
	}
	l.over.Store(true)
	cancel()
	<-ended
	if err := j.Wait(t.Context()); !errors.Is(err, home.ErrEnded) {
		t.Errorf("the job: %v", err)
	}
	if err := <-back; !errors.Is(err, home.ErrEnded) {
		t.Errorf("the call: %v", err)
	}
	if _, err := calls.Call(t.Context(), nil); !errors.Is(err, home.ErrEnded) {
		t.Errorf("a later call: %v", err)
	}
	for range j.Results(t.Context()) {
		t.Error("a result")
	}
}
