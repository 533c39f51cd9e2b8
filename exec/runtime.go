package exec

import (
	"context"
	"fmt"

	"github.com/filchsched/filch/exec/task"
)

// A Runtime executes tasks of one kind: functions, commands. It is what the
// engine knows of them. Run is called on a worker, by many at once, and blocks
// until the task has ended; it must end the task early when ctx ends.
type Runtime interface {
	Kind() task.Kind
	// External reports whether tasks wait for something outside this
	// process, as commands do: they hold a core without using our CPU time.
	External() bool
	Run(ctx context.Context, s task.Spec) task.Outcome
}

// An UnknownKindError is returned for a task that no runtime executes.
type UnknownKindError struct{ Kind task.Kind }

func (e *UnknownKindError) Error() string {
	return fmt.Sprintf("exec: no runtime for tasks of kind %q", e.Kind)
}

// Tasks is a bag of tasks of one runtime in a job, and what to do with each
// outcome. Make one with NewTasks.
type Tasks struct {
	bag *Bag[task.Spec]
	rt  Runtime
}

// NewTasks makes a bag whose tasks rt executes. ended is called once for each
// submitted task, on the worker that ran it: after Job.Cancel also for those that
// never started, as cancelled, by whoever dropped them. A panic in ended counts
// as one of the task.
func NewTasks(j *Job, rt Runtime, ended func(task.Spec, task.Outcome)) *Tasks {
	t := &Tasks{rt: rt}
	t.bag = NewBag(j, func(c *Ctx, s task.Spec) { t.run(c, s, ended) })
	t.bag.dropped = func(s task.Spec) {
		ended(s, task.Outcome{State: task.Cancelled, Err: context.Cause(j.ctx)})
	}
	return t
}

// Submit adds a task, as Bag.Submit does. It refuses tasks of another kind
// than the runtime's.
func (t *Tasks) Submit(ctx context.Context, s task.Spec) error {
	if s.Kind != t.rt.Kind() {
		return &UnknownKindError{Kind: s.Kind}
	}
	return t.bag.Submit(ctx, s)
}

// SetNeeds declares what each task holds while it runs, as Bag.SetNeeds does.
func (t *Tasks) SetNeeds(r task.Resources) error { return t.bag.SetNeeds(r) }

// run executes s and makes a failed outcome of a panic.
func (t *Tasks) run(c *Ctx, s task.Spec, ended func(task.Spec, task.Outcome)) {
	var o task.Outcome
	finished := false
	defer func() {
		if !finished {
			o = task.Outcome{State: task.Failed, Err: caught(recover())}
		}
		ended(s, o)
	}()
	o = t.rt.Run(c.Context(), s)
	finished = true
}
