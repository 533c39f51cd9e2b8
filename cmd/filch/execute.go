package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"github.com/filchsched/filch/cmd/filch/parallel"
	"github.com/filchsched/filch/exec"
	"github.com/filchsched/filch/exec/proc"
	"github.com/filchsched/filch/exec/task"
)

// An execution is a run whose commands are executed: rows go in at feed, each
// becomes a task of one bag, and what a task printed goes out through the
// sequencer. Back-pressure holds it together: Submit blocks while enough
// rows wait, and tasks block in the sequencer while nobody reads our output.
type execution struct {
	template *parallel.Template
	rows     *parallel.Rows // used by feed only
	options  runOptions
	jobs     int // at once, at most

	shell  shellChoice
	runner *proc.Runner
	output *parallel.Sequencer
	slots  *parallel.Slots // nil if the template does not ask
	stop   context.CancelCauseFunc
	failed atomic.Int64
}

// execute runs the command of every row and returns when all have ended, or
// when ctx has, and with it every command that was running.
func execute(ctx context.Context, stop context.CancelCauseFunc, x *execution, std streams) error {
	var err error
	if x.runner, err = proc.New(proc.Config{}); err != nil {
		return err
	}
	defer x.runner.Close()
	x.stop = stop
	x.shell = chooseShell(os.Environ(), x.template.Program())
	if x.template.UsesSlot() {
		x.slots = new(parallel.Slots)
	}
	x.output = parallel.NewSequencer(watchReader(std.out, stop), std.err,
		parallel.Arrange{KeepOrder: x.options.keepOrder, Tag: x.options.tag})
	defer x.output.Close()

	engine, err := exec.New(exec.Config{Workers: x.jobs})
	if err != nil {
		return err
	}
	defer engine.Close()
	job, err := engine.NewJob(exec.JobConfig{Name: "run", External: true})
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { job.Cancel(context.Cause(ctx)) })()
	if err := x.runAll(ctx, job); err != nil {
		return err
	}
	if n := x.failed.Load(); n > 0 {
		return exitCode(parallel.ExitCode(n))
	}
	return nil
}

// runAll submits every row to job and waits until the job has ended. If ctx ends first, feed
// may be waiting for input that never comes, and is left behind.
func (x *execution) runAll(ctx context.Context, job *exec.Job) error {
	fed := make(chan error, 1)
	go func() { fed <- x.feed(ctx, exec.NewBag(job, x.task)) }()
	var err error
	select {
	case err = <-fed:
	case <-ctx.Done():
	}
	job.Close()
	return errors.Join(err, job.Wait(context.Background()))
}

// feed submits every row.
func (x *execution) feed(ctx context.Context, bag *exec.Bag[parallel.Row]) error {
	for ctx.Err() == nil {
		row, err := x.rows.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := bag.Submit(ctx, row); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// task runs the command of one row and prints what it left. It runs on many goroutines
// at once.
func (x *execution) task(c *exec.Ctx, row parallel.Row) {
	if x.slots != nil {
		row.Slot = x.slots.Acquire(x.wishedSlot(row.Seq))
		defer x.slots.Release(row.Slot)
	}
	result := x.attempt(c.Context(), row)
	if result.State == task.Cancelled {
		result.Stdout.Close()
		result.Stderr.Close()
		return // the run is over; half an output is of no use to anyone
	}
	output := parallel.Output{Seq: row.Seq, Stdout: result.Stdout, Stderr: result.Stderr}
	if result.State != task.Done {
		x.failed.Add(1)
		output.Note = complaint(result.Err)
	}
	if x.options.tag {
		output.Tag = strings.Join(row.Columns, " ")
	}
	if err := x.output.Put(output); err != nil {
		x.stop(err)
	}
}

// attempt runs the command of one row.
func (x *execution) attempt(ctx context.Context, row parallel.Row) proc.Result {
	command, err := x.command(row)
	if err != nil {
		return proc.Result{Outcome: task.Outcome{State: task.Failed, Err: err}}
	}
	return x.runner.Run(ctx, command)
}

// wishedSlot is the slot that a row gets if commands start one by one: its own number for
// the first ones.
func (x *execution) wishedSlot(seq uint64) int {
	if seq <= uint64(x.jobs) {
		return int(seq)
	}
	return 0
}

// command is what to execute for a row.
func (x *execution) command(row parallel.Row) (proc.Command, error) {
	for _, v := range row.Columns {
		if strings.IndexByte(v, 0) >= 0 {
			return proc.Command{}, fmt.Errorf("task %d: the input contains a NUL byte, which no command can be given: use -0 if NUL separates the inputs", row.Seq)
		}
	}
	if x.shell.always {
		return x.shell.command(x.template.Line(row)), nil
	}
	line := x.template.Line(row)
	c := proc.Command{Shell: line}
	var err error
	if argv := x.template.Words(row); argv != nil {
		c = proc.Words(argv, line)
	} else if x.template.Verbatim() && x.shell.name == "" {
		c, err = proc.Parse(line)
	}
	if c.Argv == nil && x.shell.name != "" {
		return x.shell.command(line), nil
	}
	return c, err
}

// complaint is what to say about a command that failed: nothing if it ran, for then
// it has spoken for itself.
func complaint(err error) string {
	var ran *proc.ExitError
	if err == nil || errors.As(err, &ran) {
		return ""
	}
	return "filch: " + strings.TrimPrefix(err.Error(), "filch: ")
}
