package proc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// memoryPerStream is kept in memory of a stream by default. Most commands
// print less than a pipe holds; those that print more don't notice the file.
const memoryPerStream = scratchSize

// Config sets a Runner up. The zero value works.
type Config struct {
	MemoryPerStream int64  // bytes kept in memory per stream before spilling; 0 means 64 KiB
	SpillDir        string // where output spills to; "" means os.TempDir()
}

// A Runner executes commands. It is safe for concurrent use; how many commands
// run at the same time is the caller's business, up to Capacity.
type Runner struct {
	memory   int64
	spillDir string
	grace    time.Duration
	starter  starter
	shell    string       // "" where there is none
	env      *environment // of the caller, as New found it
	null     *os.File
	limits   limits
	room     chan struct{} // holds one for every command that runs
}

// A Result is what a command ended in and what it printed. The captures belong
// to the caller, who closes both. They are nil if the command did not start, and for a stream that
// went elsewhere.
//
// Err is nil, a *StartError (Exit is 126 or 127), a *Failure (Exit is 125), a
// *TimeoutError (Exit is 124), a *MemoryError, an *ExitError, or, when the context was cancelled before the command ended, an
// error that wraps the context's cause. A command ended by a signal has Exit 0
// and that Signal. Output that was lost makes a *Failure of any other end.
type Result struct {
	task.Outcome
	Start          time.Time
	Stdout, Stderr *Capture

	// What the command and its waited-for descendants moved from and to storage, bytes; not
	// what came out of the page cache or is still in there. 0 where it is not known.
	BytesRead, BytesWritten int64
}

// New makes a Runner. It takes note of the environment and the working
// directory, which must not change afterwards.
func New(c Config) (*Runner, error) {
	if c.MemoryPerStream < 0 {
		return nil, fmt.Errorf("proc: MemoryPerStream is %d; it must not be negative", c.MemoryPerStream)
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, &Failure{Op: "cannot open the null device as standard input for commands", Err: err}
	}
	r := &Runner{
		memory:   c.MemoryPerStream,
		spillDir: c.SpillDir,
		grace:    grace,
		env:      callersEnvironment(),
		null:     null,
		room:     make(chan struct{}, roomFor(openFiles())),
	}
	if r.memory == 0 {
		r.memory = memoryPerStream
	}
	if r.spillDir == "" {
		r.spillDir = os.TempDir()
	}
	r.starter = newStarter()
	r.shell, _ = findShell() // without one, commands that need it will say so
	return r, nil
}

// WarmUp begins what the first command would have to wait for, and returns at once.
func (r *Runner) WarmUp() {
	if s, ok := r.starter.(interface{ warmUp() }); ok {
		s.warmUp()
	}
}

// Close ends what commands left behind, as a cancelled command is ended, and frees what
// the Runner holds. No Run may be under way, and none may follow. Captures outlive it.
func (r *Runner) Close() error {
	var err error
	if s, ok := r.starter.(io.Closer); ok {
		err = s.Close()
	}
	r.limits.close()
	return errors.Join(err, r.null.Close())
}

// Run executes c, blocks until it has ended, and tells what it ended in.
//
// When ctx is cancelled the command's process group gets TERM, and after a
// grace period KILL; Run returns when the group is gone. Processes that a
// command left behind when it ended by itself are not waited for.
func (r *Runner) Run(ctx context.Context, c Command) Result {
	room := ctx.Err() == nil && r.enter(ctx)
	res := Result{Start: time.Now()}
	if !room {
		res.cancelled(ctx, "not started")
		return res
	}
	defer r.leave()
	l, err := r.prepare(&c)
	if err != nil {
		res.notStarted(err)
		return res
	}
	var drop func()
	if l.stdin, drop, err = r.standardInput(&c); err != nil {
		res.notStarted(err)
		return res
	}
	defer drop()
	if l.out, err = r.outlet(c.Stdout, l.gone); err == nil {
		l.err, err = r.outlet(c.Stderr, l.gone)
	}
	if err != nil {
		res.notStarted(err)
		return res
	}
	if c.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, c.Timeout, &TimeoutError{After: c.Timeout})
		defer cancel()
	}
	if c.Leash != nil {
		var cancel context.CancelFunc
		ctx, cancel = c.Leash.bind(ctx)
		defer cancel()
	}
	w, err := r.prepareLimits(&c, l)
	if err != nil {
		res.notStarted(err)
		return res
	}
	defer w.drop(r, l)
	err = r.execute(ctx, l, w, &res)
	if errors.Is(err, syscall.ENOEXEC) && r.asScript(l) {
		err = r.execute(ctx, l, w, &res)
	}
	switch {
	case err != nil && w.tooLittle(err):
		res.outOfMemory(&MemoryError{Limit: c.Memory})
	case err != nil:
		res.notStarted(explain(l, err))
	}
	return res
}

// execute starts l, waits for its end and records that in res. An error says that l could
// not be started.
func (r *Runner) execute(ctx context.Context, l *launch, w *limited, res *Result) error {
	p, err := r.starter.start(l)
	if err != nil {
		return err
	}
	defer p.release()
	s := stopWith(ctx, p, r.grace, l.gone)
	w.watch(p)
	rest := passSignals(l.signals, p)
	e, err := p.wait()
	rest()
	w.rest()
	if errno, ok := err.(syscall.Errno); ok {
		if s.finish() {
			res.stopped(ctx)
			return nil
		}
		return errno
	}
	res.ended(e, err)
	w.report(res)
	res.Stdout, res.Stderr = l.out.capture(), l.err.capture()
	if stopped := s.finish(); stopped {
		res.stopped(ctx)
	} else if e.leashed {
		res.State, res.Err = task.Cancelled, fmt.Errorf("stopped: %w", ErrLeash)
	}
	res.outputLost(l.out.failure(), l.err.failure())
	return nil
}

func (r *Runner) newSpool() *spool {
	return &spool{limit: r.memory, create: func() (*os.File, error) { return createSpill(r.spillDir) }}
}
