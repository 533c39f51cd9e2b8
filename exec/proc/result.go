package proc

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// notStarted records that there was nothing to wait for.
func (r *Result) notStarted(err error) {
	r.State, r.Exit, r.Err = task.Failed, ExitFilchFailed, err
	var s *StartError
	if errors.As(err, &s) {
		r.Exit = s.Exit
	}
	r.Wall = time.Since(r.Start)
}

// ended records how the command itself ended. err is filch's failure to see it.
func (r *Result) ended(e ended, err error) {
	r.Wall = time.Since(r.Start)
	r.Exit, r.Signal = e.exit, int(e.sig)
	r.BytesRead, r.BytesWritten = e.bytesRead, e.bytesWritten
	r.Usage = task.Usage{User: e.user, System: e.system, MaxMemory: e.maxMemory}
	switch {
	case err != nil:
		r.State, r.Exit, r.Err = task.Failed, ExitFilchFailed, err
	case e.exit != 0 || e.sig != 0:
		r.State, r.Err = task.Failed, &ExitError{Code: e.exit, Signal: e.sig}
	default:
		r.State = task.Done
	}
}

// cancelled records that the context ended first. Exit and Signal stay what
// the command ended in, if it was started.
func (r *Result) cancelled(ctx context.Context, what string) {
	r.State, r.Err = task.Cancelled, fmt.Errorf("%s: %w", what, context.Cause(ctx))
	r.Wall = time.Since(r.Start)
}

// stopped records that we ended the command, and why.
func (r *Result) stopped(ctx context.Context) {
	var late *TimeoutError
	if !errors.As(context.Cause(ctx), &late) {
		r.cancelled(ctx, "stopped")
		return
	}
	r.State, r.Exit, r.Signal, r.Err = task.Failed, ExitTimeout, 0, late
	r.Wall = time.Since(r.Start)
}

// outOfMemory records that the command was killed for its memory. If that hit something which the command had
// started, the command may have ended in whatever it made of that, success even.
func (r *Result) outOfMemory(err *MemoryError) {
	if r.State == task.Cancelled {
		return
	}
	r.State, r.Exit, r.Signal, r.Err = task.Failed, 0, int(syscall.SIGKILL), err
}

// StateOf is what an outcome of a command is called in reports: that of its State,
// or TIMEOUT or OUT_OF_MEMORY for a failure of that kind.
func StateOf(o task.Outcome) string {
	var late *TimeoutError
	var large *MemoryError
	switch {
	case errors.As(o.Err, &late):
		return "TIMEOUT"
	case errors.As(o.Err, &large):
		return "OUT_OF_MEMORY"
	}
	return o.State.String()
}

// outputLost turns the result into a failure if either stream is incomplete:
// what a command did is no use to a caller who can't have its output. A cancelled
// one stays cancelled; its capture still says so.
func (r *Result) outputLost(errs ...error) {
	err := errors.Join(errs...)
	if err == nil || r.State == task.Cancelled {
		return
	}
	if r.Err != nil {
		err = errors.Join(err, r.Err)
	}
	r.State, r.Exit, r.Signal, r.Err = task.Failed, ExitFilchFailed, 0, err
}
