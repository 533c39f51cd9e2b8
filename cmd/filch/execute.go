package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/filchsched/filch/cmd/filch/parallel"
	"github.com/filchsched/filch/exec"
	"github.com/filchsched/filch/exec/proc"
)

// An execution is a run whose commands are executed: rows go in at feed, each
// becomes a task of one bag (onetask.go), and what a task printed goes out through the
// sequencer. Back-pressure holds it together: Submit blocks while enough
// rows wait, and tasks block in the sequencer while nobody reads our output.
type execution struct {
	plan     *runPlan
	given    []string // the command, word by word
	template *parallel.Template
	rows     *parallel.Rows // used by feed only
	jobs     int            // at once, at most
	*stopper

	shell   shellChoice
	run     func(context.Context, proc.Command) proc.Result
	streams streams // of filch, for commands that print there themselves
	output  *parallel.Sequencer
	notices io.Writer
	slots   *parallel.Slots // nil if the template does not ask
	times   *timekeeper
	log     *joblog
	status  *status
	pace    pace
	failed  atomic.Int64
	spread  *spread // nil: the run is on its own

	haltMu sync.Mutex // guards halter
	halter *parallel.Halter
}

// execute runs the command of every row and returns when all have ended, or
// when the run was stopped, and with it every command that was running.
func execute(x *execution, std streams) error {
	if x.plan.given("nice") {
		if err := setNice(x.plan.nice); err != nil {
			return fmt.Errorf("--nice: %w", err)
		}
	}
	runner, err := proc.New(proc.Config{})
	if err != nil {
		return err
	}
	defer runner.Close()
	runner.WarmUp()
	x.shell = chooseShell(os.Environ(), x.template.Program())
	x.run, x.streams = runner.Run, std
	if x.log, err = openJoblog(x.plan.joblog, x.plan.resume); err != nil {
		return err
	}
	defer x.log.close()
	if x.spread, err = newSpread(x.feed, x, runner); err != nil {
		return err
	}
	defer x.spread.close()
	if (x.plan.bar || x.plan.eta) && !x.plan.quiet && isTerminal(std.err) {
		x.status = newStatus(std.err, x.plan.bar)
		defer x.status.close()
	}
	if !x.plan.quiet {
		for _, n := range limitNotices(runner, x.plan.needs) {
			fmt.Fprintln(std.err, "filch: "+n)
		}
	}
	return x.execute(x.untilAbandoned(watchReader(std.out, x.stop), std.out), x.untilAbandoned(std.err, std.err))
}

// execute is the same with its surroundings set up.
func (x *execution) execute(stdout, stderr io.Writer) error {
	if x.template.UsesSlot() {
		x.slots = new(parallel.Slots)
	}
	x.times = newTimekeeper(x.plan.timeout)
	x.halter = parallel.NewHalter(x.plan.halt)
	x.pace.every = x.plan.delay
	x.notices = x.status.beside(stderr)
	if x.plan.quiet {
		x.notices = io.Discard
	}
	x.output = parallel.NewSequencer(x.status.beside(stdout), x.status.beside(stderr),
		parallel.Arrange{KeepOrder: x.plan.keepOrder, Tag: x.plan.tag})
	defer x.output.Close()

	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procsFor(x.jobs)))
	err := x.runRows()
	if x.cutShort() {
		err = errors.Join(err, x.output.Drain())
	}
	if err != nil {
		return err
	}
	if n := x.failed.Load(); n > 0 {
		x.haltMu.Lock()
		defer x.haltMu.Unlock()
		return exitCode(x.halter.AtEnd(n))
	}
	return nil
}

// runRows runs the command of every row, over peers or with an engine of our own.
func (x *execution) runRows() error {
	if x.spread != nil {
		return x.spread.run()
	}
	engine, err := exec.New(x.engineConfig())
	if err != nil {
		return err
	}
	defer engine.Close()
	job, err := engine.NewJob(x.jobConfig())
	if err != nil {
		return err
	}
	defer context.AfterFunc(x.stopper.run, func() { job.Cancel(context.Cause(x.stopper.run)) })()
	bag := exec.NewBag(job, x.task)
	if err := bag.SetNeeds(x.plan.needs); err != nil {
		return fmt.Errorf("no command could ever start: %w (see --cores, --mem and --jobs)", err)
	}
	return x.runAll(job, bag)
}

// cutShort reports whether the run ended before its inputs did, although whoever reads its output is still
// interested.
func (x *execution) cutShort() bool {
	_, halted := x.halted()
	return x.write.Err() == nil && (halted || x.feed.Err() != nil && x.stopper.run.Err() == nil)
}

// engineConfig sizes the engine: a worker for each command that may run at once. Commands that
// hold several cores get no more of them than there are.
func (x *execution) engineConfig() exec.Config {
	c := exec.Config{Workers: x.jobs}
	if cores := x.plan.needs.Cores; cores > 1 {
		c.Workers = min(x.jobs*cores, usableCPUs())
	}
	if x.plan.needs.Memory > 0 {
		c.Memory = usableMemory()
	}
	return c
}

// procsFor is the GOMAXPROCS of a run. A goroutine that waits for a command is in a system call.
// As long as one place in the Go scheduler is free, the runtime leaves a goroutine its place for the first 10 ms of
// that; with none free, a thread of the runtime wakes every 20 µs to see whom to take one from, which
// costs a tenth of what a short command does.
func procsFor(jobs int) int {
	return max(runtime.GOMAXPROCS(0), min(2*jobs, 4*runtime.NumCPU()))
}

// manyQueued is how many inputs are read ahead to know how many there are: about 100 MB of
// memory.
const manyQueued = 1 << 20

func (x *execution) jobConfig() exec.JobConfig {
	c := exec.JobConfig{Name: x.plan.jobName, Nice: x.plan.nice, External: true}
	if x.plan.wantsTotal() {
		c.MaxQueued = manyQueued
	}
	return c
}

// runAll submits every row to job and waits until the job has ended. If the run is cut short, feed
// may be waiting for input that never comes, and is left behind.
func (x *execution) runAll(job *exec.Job, bag *exec.Bag[parallel.Row]) error {
	fed := make(chan error, 1)
	go func() { fed <- x.feedAll(bag) }()
	var err error
	select {
	case err = <-fed:
	case <-x.feed.Done():
	}
	job.Close()
	return errors.Join(err, job.Wait(context.Background()))
}

// feedAll submits every row.
func (x *execution) feedAll(bag *exec.Bag[parallel.Row]) error {
	n := int64(0)
	for ; x.feed.Err() == nil; n++ {
		row, err := x.rows.Next()
		if err == io.EOF {
			x.status.total(n)
			x.haltIf(func(h *parallel.Halter) bool { return h.Total(n) })
			return nil
		}
		if err != nil {
			return err
		}
		if err := bag.Submit(x.feed, row); err != nil {
			return err
		}
	}
	return context.Cause(x.feed)
}

// haltIf tells the halter something and acts on what it says.
func (x *execution) haltIf(told func(*parallel.Halter) bool) {
	x.haltMu.Lock()
	halt := told(x.halter)
	code, _ := x.halter.Halted()
	x.haltMu.Unlock()
	if !halt {
		return
	}
	if x.plan.halt.Now {
		x.notice("halting: ending the commands that run (--halt %s)", x.plan.runOptions.halt)
		x.stop(exitCode(code))
		return
	}
	x.notice("halting: starting no more commands and waiting for those that run (--halt %s)", x.plan.runOptions.halt)
	x.finish(exitCode(code))
}

func (x *execution) halted() (int, bool) {
	x.haltMu.Lock()
	defer x.haltMu.Unlock()
	return x.halter.Halted()
}

// notice tells the user something about the run, unless they want it quiet.
func (x *execution) notice(format string, args ...any) {
	fmt.Fprintf(x.notices, "filch: "+format+"\n", args...)
}

// A pace keeps the starts of commands apart. It is safe for concurrent use.
type pace struct {
	every time.Duration

	mu   sync.Mutex
	next time.Time
}

// wait waits for the caller's turn to start; false if ctx ends first.
func (p *pace) wait(ctx context.Context) bool {
	if p.every == 0 {
		return ctx.Err() == nil
	}
	p.mu.Lock()
	now := time.Now()
	if p.next.Before(now) {
		p.next = now
	}
	mine := p.next
	p.next = mine.Add(p.every)
	p.mu.Unlock()
	timer := time.NewTimer(time.Until(mine))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// complaint is what to say about a command that failed: nothing if it ran, for then
// it has spoken for itself.
func complaint(err error) string {
	var ran *proc.ExitError
	if err == nil || errors.As(err, &ran) && !errors.As(err, new(*proc.Failure)) {
		return ""
	}
	return "filch: " + strings.TrimPrefix(err.Error(), "filch: ")
}
