package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/filchsched/filch/cmd/filch/parallel"
	"github.com/filchsched/filch/exec"
	"github.com/filchsched/filch/exec/proc"
	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/node/command"
)

// exitTimedOut is the exit code of a command that ran too long, as timeout(1) has it.
const exitTimedOut = 124

// A finished is a task that has ended, with what was tried last.
type finished struct {
	row      parallel.Row
	line     string
	result   proc.Result
	attempts int
	late     bool // its time was up

	// Of a task that may have run elsewhere.
	host           string          // "" is here
	sent           int64           // bytes that travelled there
	detail         string          // how it failed, as package command tells it
	stdout, stderr parallel.Stream // in place of the result's; nil: those
}

// streams are what the command printed.
func (f *finished) streams() (stdout, stderr parallel.Stream) {
	if f.stdout != nil {
		return f.stdout, f.stderr
	}
	return f.result.Stdout, f.result.Stderr
}

func (f *finished) discard() {
	stdout, stderr := f.streams()
	stdout.Close()
	stderr.Close()
}

// task runs the command of one row and prints what it left. It runs on many goroutines
// at once.
func (x *execution) task(c *exec.Ctx, row parallel.Row) {
	line := x.template.Line(row)
	if x.log.has(row.Seq, line) {
		x.status.skipped()
		x.pass(row)
		return
	}
	if !x.pace.wait(x.feed) {
		x.pass(row)
		return
	}
	if x.slots != nil {
		row.Slot = x.slots.Acquire(x.wishedSlot(row.Seq))
		defer x.slots.Release(row.Slot)
		line = x.template.Line(row)
	}
	x.status.started()
	f := finished{row: row, line: line}
	x.attempt(c.Context(), &f)
	state := f.result.State
	x.status.ended(state == task.Failed, state != task.Cancelled)
	if state == task.Cancelled { // the run is over; half an output is of no use to anyone
		discard(f.result)
		x.pass(row)
		return
	}
	if err := x.commit(f); err != nil {
		x.stop(err)
	}
}

// pass says that a row will print nothing, so that others do not wait for it.
func (x *execution) pass(row parallel.Row) {
	if x.plan.keepOrder {
		x.output.Put(parallel.Output{Seq: row.Seq}) // whoever broke the output has said so
	}
}

// attempt tries the command of f.row as often as --retries allows.
func (x *execution) attempt(ctx context.Context, f *finished) {
	command, err := x.command(f.row, f.line)
	if err != nil {
		f.attempts, f.result = 1, unmade(err)
		return
	}
	for {
		f.attempts++
		command.Attempt.N = uint32(f.attempts)
		x.attemptOnce(ctx, command, f)
		if f.result.State != task.Failed || f.attempts == x.plan.retries || x.feed.Err() != nil {
			return
		}
		discard(f.result)
	}
}

// unmade is the result of a row that cannot be made a command.
func unmade(err error) proc.Result {
	return proc.Result{Outcome: task.Outcome{State: task.Failed, Exit: proc.ExitFilchFailed, Err: err}, Start: time.Now()}
}

func (x *execution) attemptOnce(ctx context.Context, c proc.Command, f *finished) {
	x.timed(ctx, f, func(ctx context.Context) proc.Result { return x.perform(ctx, c, f.row) })
}

// timed has a command run for no longer than --timeout allows.
func (x *execution) timed(ctx context.Context, f *finished, perform func(context.Context) proc.Result) {
	timed, end := x.times.begin(ctx)
	f.result = perform(timed)
	var late timedOut
	f.late = f.result.State == task.Cancelled && errors.As(context.Cause(timed), &late)
	end(f.result.State != task.Cancelled)
	if f.late {
		f.result.State, f.result.Exit = task.Failed, exitTimedOut
		f.result.Err = fmt.Errorf("task %d %w: %s", f.row.Seq, late, abbreviated(f.line))
	}
}

// commit tells the world about a task: its results, the log, its output, and
// whoever decides whether the run goes on.
func (x *execution) commit(f finished) error {
	failed := f.result.State != task.Done
	if failed {
		x.failed.Add(1)
	}
	o := parallel.Output{Seq: f.row.Seq, Note: complaint(f.result.Err), Tag: tagOf(f.row)}
	o.Stdout, o.Stderr = f.streams()
	entry := f.entry()
	if x.plan.results != "" {
		err := saveResults(x.plan.results, f.row, o.Stdout, o.Stderr)
		f.discard()
		o.Stdout, o.Stderr = nil, nil
		if err != nil {
			return err
		}
	}
	if x.plan.output == outputJSON {
		record, err := f.record()
		if err != nil {
			return err
		}
		o.Stdout, o.Stderr, o.Note = record, nil, ""
	}
	if err := x.log.add(entry); err != nil {
		f.discard()
		return err
	}
	if err := x.output.Put(o); err != nil {
		return err
	}
	x.haltIf(func(h *parallel.Halter) bool { return h.Ended(f.exit()) })
	return nil
}

// exit is the exit code of a command, 128+n after a signal.
func (f *finished) exit() int {
	switch {
	case f.result.State == task.Done:
		return 0
	case f.late:
		return exitTimedOut
	case f.result.Signal != 0:
		return 128 + f.result.Signal
	}
	return max(1, f.result.Exit)
}

// entry is the line of the job log.
func (f *finished) entry() parallel.Entry {
	stdout, _ := f.streams()
	e := parallel.Entry{
		Seq: f.row.Seq, Host: cmp.Or(f.host, hereHost), Start: f.result.Start, Took: f.result.Wall, Sent: f.sent, Received: stdout.Len(),
		Exit: f.result.Exit, Signal: f.result.Signal, Command: f.line,
	}
	if f.late {
		e.Exit, e.Signal = -1, int(syscall.SIGTERM) // as parallel tells it
	}
	return e
}

// record is the line of --output json. It takes the streams.
func (f *finished) record() (parallel.Stream, error) {
	r := parallel.Record{
		Seq: f.row.Seq, Inputs: f.row.Columns, Command: f.line, State: f.result.State.String(), Host: cmp.Or(f.host, hereHost),
		Exit: f.result.Exit, Signal: f.result.Signal, Attempts: f.attempts, Start: parallel.JSONTime(f.result.Start),
		Wall: f.result.Wall.Seconds(), User: f.result.Usage.User.Seconds(), System: f.result.Usage.System.Seconds(),
		Memory: f.result.Usage.MaxMemory, Reason: strings.TrimPrefix(complaint(f.result.Err), "filch: "),
	}
	switch {
	case f.late:
		r.State = command.Timeout
	case f.detail == command.OutOfMemory, errors.As(f.result.Err, new(*proc.MemoryError)):
		r.State = command.OutOfMemory
	}
	stdout, stderr := f.streams()
	return parallel.RecordStream(r, stdout, stderr)
}

func tagOf(row parallel.Row) string { return strings.Join(row.Columns, " ") }

func discard(r proc.Result) {
	r.Stdout.Close()
	r.Stderr.Close()
}

// abbreviated is the start of a command line.
func abbreviated(line string) string {
	const most = 200
	if len(line) > most {
		return line[:most] + "…"
	}
	return line
}

// wishedSlot is the slot that a row gets if commands start one by one: its own number for
// the first ones.
func (x *execution) wishedSlot(seq uint64) int {
	if seq <= uint64(x.jobs) {
		return int(seq)
	}
	return 0
}

// command is what to execute for a row whose line is line.
func (x *execution) command(row parallel.Row, line string) (proc.Command, error) {
	for _, v := range row.Columns {
		if strings.IndexByte(v, 0) >= 0 {
			return proc.Command{}, fmt.Errorf("task %d: the input contains a NUL byte, which no command can be given: use -0 if NUL separates the inputs", row.Seq)
		}
	}
	c := proc.Command{Shell: line}
	var err error
	switch {
	case x.shell.always:
	default:
		if argv := x.template.Words(row); argv != nil {
			c = proc.Words(argv, line)
		} else if x.template.Verbatim() && x.shell.name == "" {
			c, err = proc.Parse(line)
		}
	}
	if c.Argv == nil && x.shell.name != "" {
		c = x.shell.command(line)
	}
	c.Dir = x.plan.dir
	c.Task, c.Job = task.ID(row.Seq), x.plan.jobName
	c.Cores, c.Memory = x.plan.needs.Cores, x.plan.needs.Memory
	return c, err
}
