package call_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/filchsched/filch/exec"
	"github.com/filchsched/filch/exec/call"
	"github.com/filchsched/filch/exec/task"
)

func TestCallsRunThroughTheEngine(t *testing.T) {
	var r call.Registry
	boom := errors.New("boom")
	for name, fn := range map[string]call.Func{
		"upper": func(_ context.Context, b []byte) ([]byte, error) { return bytes.ToUpper(b), nil },
		"fails": func(context.Context, []byte) ([]byte, error) { return nil, boom },
	} {
		if err := r.Register(name, fn); err != nil {
			t.Fatal(err)
		}
	}
	e, err := exec.New(exec.Config{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	j, err := e.NewJob(exec.JobConfig{})
	if err != nil {
		t.Fatal(err)
	}
	outcomes := make(chan task.Outcome, 3)
	tasks := exec.NewTasks(j, &r, func(_ task.Spec, o task.Outcome) { outcomes <- o })
	for _, tc := range []struct {
		name string
		want func(task.Outcome) bool
	}{
		{"upper", func(o task.Outcome) bool { return o.State == task.Done && string(o.Output) == "ABC" }},
		{"fails", func(o task.Outcome) bool { return o.State == task.Failed && errors.Is(o.Err, boom) }},
		{"nobody", func(o task.Outcome) bool { return errors.Is(o.Err, call.ErrUnknown) }},
	} {
		s := task.Spec{Kind: task.KindFunc, Body: call.Call{Name: tc.name, Args: []byte("abc")}}
		if err := tasks.Submit(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		if o := <-outcomes; !tc.want(o) {
			t.Errorf("%s: %+v", tc.name, o)
		}
	}
	j.Close()
	if err := j.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if o := r.Run(t.Context(), task.Spec{Body: 7}); o.State != task.Failed {
		t.Errorf("a body of the wrong type: %+v", o)
	}
}

func TestRegisterRefuses(t *testing.T) {
	var r call.Registry
	fn := func(context.Context, []byte) ([]byte, error) { return nil, nil }
	if err := r.Register("a", fn); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "a", strings.Repeat("x", call.MaxName+1)} {
		if r.Register(name, fn) == nil {
			t.Errorf("%.10q was accepted", name)
		}
	}
	if r.Register("b", nil) == nil {
		t.Error("nil was accepted")
	}
	if got := r.Names(); len(got) != 1 || got[0] != "a" {
		t.Errorf("names: %v", got)
	}
}
