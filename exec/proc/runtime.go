package proc

import (
	"context"
	"fmt"

	"github.com/filchsched/filch/exec/task"
)

// A Runtime is a Runner as the engine sees it: the runtime of kind
// task.KindProc, whose bodies are Commands. It implements exec.Runtime.
type Runtime struct {
	Runner *Runner
	// Ended, if not nil, gets each result with its captured output and must
	// close both captures; otherwise the output is thrown away. It is called
	// before the outcome goes on, by many at once.
	Ended func(task.Spec, Result)
}

// Kind implements exec.Runtime.
func (r *Runtime) Kind() task.Kind { return task.KindProc }

// External implements exec.Runtime: the work is done by other processes.
func (r *Runtime) External() bool { return true }

// Run implements exec.Runtime.
func (r *Runtime) Run(ctx context.Context, s task.Spec) task.Outcome {
	c, ok := s.Body.(Command)
	if !ok {
		return task.Outcome{State: task.Failed, Err: fmt.Errorf("proc: the body of task %d is a %T, not a proc.Command", s.ID, s.Body)}
	}
	res := r.Runner.Run(ctx, c)
	if r.Ended != nil {
		r.Ended(s, res)
	} else {
		res.Stdout.Close()
		res.Stderr.Close()
	}
	return res.Outcome
}
