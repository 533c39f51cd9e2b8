package proc_test

import (
	"strings"
	"testing"

	"github.com/filchsched/filch/exec"
	"github.com/filchsched/filch/exec/proc"
	"github.com/filchsched/filch/exec/task"
)

func TestCommandsRunThroughTheEngine(t *testing.T) {
	r, err := proc.New(proc.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	e, err := exec.New(exec.Config{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	j, err := e.NewJob(exec.JobConfig{External: true})
	if err != nil {
		t.Fatal(err)
	}
	type end struct {
		id  task.ID
		out string
	}
	ends := make(chan end, 20)
	rt := &proc.Runtime{Runner: r, Ended: func(s task.Spec, res proc.Result) {
		var b strings.Builder
		res.Stdout.WriteTo(&b)
		res.Stdout.Close()
		res.Stderr.Close()
		ends <- end{s.ID, b.String()}
	}}
	var _ exec.Runtime = rt
	exits := make(chan int, 20)
	tasks := exec.NewTasks(j, rt, func(_ task.Spec, o task.Outcome) { exits <- o.Exit })
	for i := range task.ID(10) {
		body := proc.Command{Argv: []string{"sh", "-c", "echo $0; exit 3", strings.Repeat("x", int(i))}}
		if err := tasks.Submit(t.Context(), task.Spec{ID: i, Kind: task.KindProc, Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	j.Close()
	if err := j.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if got := <-ends; got.out != strings.Repeat("x", int(got.id))+"\n" {
			t.Errorf("task %d wrote %q", got.id, got.out)
		}
		if code := <-exits; code != 3 {
			t.Errorf("exit %d", code)
		}
	}
	if o := rt.Run(t.Context(), task.Spec{Body: "ls"}); o.State != task.Failed {
		t.Errorf("a body of the wrong type: %+v", o)
	}
}
