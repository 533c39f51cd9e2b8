package home

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/filchsched/filch/exec/call"
	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal/core"
)

// ErrCancelled is the error of a task that was cancelled before it had an outcome.
var ErrCancelled = errors.New("the job was cancelled")

// reasonCrashLimit is how a home ends a task that took its holders with it too often.
const reasonCrashLimit = "crash-limit"

// A TaskError is how a task failed, with all its retries. What a function's error wrapped is known only where it
// ran: everywhere else there is its text. errors.Is finds its kind.
type TaskError struct {
	Node     string // peer ID of the node that ran the last attempt; "" if none did
	Function string // name and version of the function that was called; "" for a command
	Attempt  uint32 // the number of that attempt, counted per job
	Exit     int    // of a command; the kind of the failure of a function, a call.Failure
	Signal   int    // that ended a command; 0: none
	Reason   string
	Stack    string // of a function that panicked
}

// Kinds of failures of functions, for errors.Is.
var (
	ErrPanic           = errors.New("the function panicked")
	ErrArgument        = errors.New("the argument cannot be decoded")
	ErrResult          = errors.New("the result cannot be encoded")
	ErrTooDeep         = errors.New("tasks are nested too deeply")
	ErrUnknownFunction = errors.New("the function is not known there")
	ErrLost            = errors.New("the nodes that ran it were lost, too often")
	ErrTimedOut        = fmt.Errorf("the deadline of the call has passed: %w", context.DeadlineExceeded)
)

// Is tells whether a failure is of a kind.
func (e *TaskError) Is(target error) bool {
	if e.Function == "" {
		return false
	}
	switch call.Failure(e.Exit) {
	case call.Panicked:
		return target == ErrPanic
	case call.BadArgument:
		return target == ErrArgument
	case call.BadResult:
		return target == ErrResult
	case call.TooDeep:
		return target == ErrTooDeep
	case call.Unknown:
		return target == ErrUnknownFunction
	case call.Lost:
		return target == ErrLost
	case call.TimedOut:
		return target == ErrTimedOut || target == context.DeadlineExceeded
	}
	return false
}

// FailureKind is the kind of the failure of a function that has called another one and passes its failure on.
func (e *TaskError) FailureKind() call.Failure {
	if e.Function == "" {
		return call.Failed
	}
	return call.Failure(e.Exit)
}

// Error tells the reason, and who ran it.
func (e *TaskError) Error() string {
	what := e.Reason
	if what == "" {
		what = fmt.Sprintf("exit %d", e.Exit)
	}
	if e.Function != "" {
		what = e.Function + ": " + what
	}
	if e.Node == "" {
		return what
	}
	return fmt.Sprintf("%s (attempt %d, on %s)", what, e.Attempt, e.Node)
}

// failure is what a call of a function that did not succeed returns.
func failure(function string, c *core.Commit) error {
	if c.State == task.Cancelled {
		return ErrCancelled
	}
	kind := call.Failure(c.Exit)
	if c.Exit == 0 && c.Reason == reasonCrashLimit {
		kind = call.Lost
	}
	return Failed(function, c.Host, c.Piece.Attempt.N, kind, c.Reason)
}

// Failed is the error of a call that failed, wherever it ran.
func Failed(function string, node core.PeerID, attempt uint32, kind call.Failure, reason string) *TaskError {
	e := &TaskError{Node: string(node), Function: function, Attempt: attempt, Exit: int(kind), Reason: short(reason)}
	if kind == call.Panicked {
		e.Reason, e.Stack, _ = strings.Cut(e.Reason, call.StackMark)
	}
	return e
}
