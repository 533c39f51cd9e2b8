package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"github.com/filchsched/filch/exec/proc"
	"github.com/filchsched/filch/exec/task"
)

const (
	// liveGrace is how long a command has between TERM and KILL, as in package proc.
	liveGrace = 2 * time.Second
	// strayDelay is how long we read on after a command has ended, when what it left in the
	// background holds its output open.
	strayDelay = 100 * time.Millisecond
)

// runLive runs a command whose output goes out while it runs. Package proc captures
// output, so this starts the command itself, and always with a shell if it is a line:
// what a line means without one is proc's to know.
func runLive(ctx context.Context, c proc.Command, stdout, stderr io.Writer) proc.Result {
	res := proc.Result{Start: time.Now()}
	if ctx.Err() != nil {
		res.State, res.Err = task.Cancelled, context.Cause(ctx)
		return res
	}
	argv := c.Argv
	if argv == nil {
		argv = []string{"sh", "-c", c.Shell}
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = c.Dir, stdout, stderr
	cmd.Env = append(os.Environ(), "FILCH_TASK_ID="+strconv.FormatUint(uint64(c.Task), 10), "FILCH_JOB_ID="+c.Job,
		"FILCH_ATTEMPT="+strconv.FormatUint(uint64(c.Attempt.N), 10))
	cmd.WaitDelay = strayDelay
	ownGroup(cmd)
	err := cmd.Start()
	if err == nil {
		stopped := stopWith(ctx, cmd)
		err = cmd.Wait()
		if stopped() {
			res.Wall = time.Since(res.Start)
			res.State, res.Err = task.Cancelled, context.Cause(ctx)
			return res
		}
	}
	res.Wall = time.Since(res.Start)
	ended(&res, cmd, err)
	return res
}

// ended fills in how cmd ended. err is what Start or Wait said.
func ended(res *proc.Result, cmd *exec.Cmd, err error) {
	var exit *exec.ExitError
	res.State = task.Done
	switch ps := cmd.ProcessState; {
	case ps == nil:
		res.State, res.Exit, res.Err = task.Failed, startCode(err), err
	case errors.As(err, &exit):
		e := &proc.ExitError{Code: ps.ExitCode()}
		if ws, ok := ps.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			e.Code, e.Signal = 0, ws.Signal()
		}
		res.State, res.Exit, res.Signal, res.Err = task.Failed, e.Code, int(e.Signal), e
	case err != nil && !errors.Is(err, exec.ErrWaitDelay):
		res.State, res.Exit, res.Err = task.Failed, proc.ExitFilchFailed, err
	}
	if ps := cmd.ProcessState; ps != nil {
		res.Usage.User, res.Usage.System = ps.UserTime(), ps.SystemTime()
	}
}

// startCode is the exit code for a command that did not start.
func startCode(err error) int {
	switch {
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, syscall.ENOENT):
		return proc.ExitNotFound
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.ENOEXEC), errors.Is(err, syscall.E2BIG):
		return proc.ExitNotExecutable
	}
	return proc.ExitFilchFailed
}

// stopWith ends cmd when ctx ends: TERM to its group, KILL after the grace period. The function
// that it returns must be called when cmd has ended; it reports whether cmd was stopped.
func stopWith(ctx context.Context, cmd *exec.Cmd) (stopped func() bool) {
	over := make(chan struct{})
	gone := make(chan struct{})
	quit := context.AfterFunc(ctx, func() {
		defer close(gone)
		signalGroup(cmd, syscall.SIGTERM)
		signalGroup(cmd, sigCONT)
		late := time.NewTimer(liveGrace)
		defer late.Stop()
		select {
		case <-over:
		case <-late.C:
		}
		signalGroup(cmd, syscall.SIGKILL)
	})
	return func() bool {
		close(over)
		if quit() {
			return false
		}
		<-gone
		return true
	}
}
