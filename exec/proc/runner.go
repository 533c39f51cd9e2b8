package proc

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// Config sets a Runner up. The zero value works.
type Config struct {
	MemoryPerStream int64  // bytes kept in memory per stream before spilling; 0 means a default
	SpillDir        string // "" means os.TempDir()
}

// A Runner executes commands.
type Runner struct{ c Config }

// A Result is what a command ended in and what it printed. Close both captures.
type Result struct {
	task.Outcome
	Start          time.Time
	Stdout, Stderr *Capture
}

// New makes a Runner.
func New(c Config) (*Runner, error) {
	if c.MemoryPerStream == 0 {
		c.MemoryPerStream = 256 << 10
	}
	return &Runner{c}, nil
}

// Close frees what the Runner holds.
func (r *Runner) Close() error { return nil }

type sink struct {
	r   *Runner
	c   Capture
	err error
}

func (s *sink) Write(p []byte) (int, error) {
	s.c.size += int64(len(p))
	if s.c.file == nil && s.c.size <= s.r.c.MemoryPerStream {
		s.c.mem = append(s.c.mem, p...)
		return len(p), nil
	}
	if s.c.file == nil {
		f, err := os.CreateTemp(s.r.c.SpillDir, "filch-")
		if err != nil {
			return 0, err
		}
		os.Remove(f.Name())
		s.c.file = f
		if _, err := f.Write(s.c.mem); err != nil {
			return 0, err
		}
		s.c.mem = nil
	}
	return s.c.file.Write(p)
}

// Run executes c and blocks until it has ended.
func (r *Runner) Run(ctx context.Context, c Command) Result {
	argv := c.Argv
	if c.Shell != "" {
		argv = []string{"/bin/sh", "-c", c.Shell}
	}
	res := Result{Start: time.Now()}
	if len(argv) == 0 {
		res.State, res.Exit = task.Failed, ExitNotFound
		res.Err = &StartError{Exit: ExitNotFound, What: "no command"}
		return res
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = c.Dir, c.Env
	if c.Stdin != nil {
		cmd.Stdin = c.Stdin
	}
	out, errs := &sink{r: r}, &sink{r: r}
	cmd.Stdout, cmd.Stderr = out, errs
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	res.Wall = time.Since(res.Start)
	res.Stdout, res.Stderr = &out.c, &errs.c
	res.State = task.Done
	if ps := cmd.ProcessState; ps != nil {
		res.Usage.User, res.Usage.System = ps.UserTime(), ps.SystemTime()
		ws := ps.Sys().(syscall.WaitStatus)
		res.Exit = max(0, ps.ExitCode())
		if ws.Signaled() {
			res.Signal = int(ws.Signal())
		}
		if !ps.Success() {
			res.State, res.Err = task.Failed, &ExitError{Code: res.Exit, Signal: syscall.Signal(res.Signal)}
		}
	} else if err != nil {
		res.State, res.Err, res.Exit = task.Failed, err, ExitNotExecutable
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
			res.Exit = ExitNotFound
			res.Err = &StartError{Name: argv[0], Exit: ExitNotFound, What: "command not found", Err: err}
		}
	}
	if ctx.Err() != nil && res.State != task.Done {
		res.State, res.Err = task.Cancelled, context.Cause(ctx)
	}
	return res
}
