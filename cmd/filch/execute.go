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
	tag      bool
	shell    shellChoice
	jobs     int
	runner   *proc.Runner
	output   *parallel.Sequencer
	slots    *parallel.Slots // nil if the template does not ask
	stop     context.CancelCauseFunc
	failed   atomic.Int64
}

// execute runs the command of every row, at most jobs at once, and returns when all
// have ended, or when ctx has, and with it every command that was running.
func execute(ctx context.Context, stop context.CancelCauseFunc, t *parallel.Template, rows *parallel.Rows, o runOptions, jobs int, std streams) (err error) {
	runner, err := proc.New(proc.Config{})
	if err != nil {
		return err
	}
	defer runner.Close()
	engine, err := exec.New(exec.Config{Workers: jobs})
	if err != nil {
		return err
	}
	defer engine.Close()
	job, err := engine.NewJob(exec.JobConfig{External: true})
	if err != nil {
		return err
	}
	x := &execution{
		template: t, rows: rows, tag: o.tag, jobs: jobs, shell: chooseShell(os.Environ(), t.Program()), runner: runner, stop: stop,
		output: parallel.NewSequencer(watchReader(std.out, stop), std.err, parallel.Arrange{KeepOrder: o.keepOrder, Tag: o.tag}),
	}
	defer x.output.Close()
	if t.UsesSlot() {
		x.slots = new(parallel.Slots)
	}
	defer context.AfterFunc(ctx, func() { job.Cancel(context.Cause(ctx)) })()

	bag := exec.NewBag(job, x.task)
	fed := make(chan error, 1)
	go func() { fed <- x.feed(ctx, bag) }()
	select {
	case err = <-fed:
	case <-ctx.Done(): // feed may be waiting for input that never comes
	}
	job.Close()
	if waitErr := job.Wait(context.Background()); err == nil {
		err = waitErr
	}
	if n := x.failed.Load(); err == nil && n > 0 {
		return exitCode(parallel.ExitCode(n))
	}
	return err
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

// task runs the command of one row. It runs on many goroutines at once.
func (x *execution) task(c *exec.Ctx, row parallel.Row) {
	ctx := c.Context()
	if ctx.Err() != nil {
		return
	}
	if x.slots != nil {
		wanted := 0
		if row.Seq <= uint64(x.jobs) {
			wanted = int(row.Seq)
		}
		row.Slot = x.slots.Acquire(wanted)
		defer x.slots.Release(row.Slot)
	}
	output := parallel.Output{Seq: row.Seq}
	if x.tag {
		output.Tag = strings.Join(row.Columns, " ")
	}
	command, err := x.command(row)
	if err == nil {
		result := x.runner.Run(ctx, command)
		output.Stdout, output.Stderr = result.Stdout, result.Stderr
		if result.State == task.Cancelled {
			result.Stdout.Close()
			result.Stderr.Close()
			return
		}
		if result.State != task.Done {
			x.failed.Add(1)
			output.Note = complaint(result.Err)
		}
	} else {
		x.failed.Add(1)
		output.Note = "filch: " + err.Error()
	}
	if err := x.output.Put(output); err != nil {
		x.stop(err)
	}
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
	argv, line := x.template.Command(row)
	switch {
	case argv != nil:
		return proc.Command{Argv: argv}, nil
	case x.shell.name != "":
		return x.shell.command(line), nil
	case x.template.Verbatim():
		return proc.Parse(line)
	}
	return proc.Command{Shell: line}, nil
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
