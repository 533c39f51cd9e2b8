package home

import (
	"errors"
	"fmt"
)

// ErrCancelled is the error of a task whose job was cancelled before it had an outcome.
var ErrCancelled = errors.New("the job was cancelled")

// A TaskError is how a task failed, with all its retries.
type TaskError struct {
	Node    string // peer ID of the node that ran the last attempt; "" if none did
	Attempt uint32 // the number of that attempt, counted per job
	Exit    int    // of a command
	Reason  string
}

// Error tells the reason, and who ran it.
func (e *TaskError) Error() string {
	what := e.Reason
	if what == "" {
		what = fmt.Sprintf("exit %d", e.Exit)
	}
	if e.Node == "" {
		return what
	}
	return fmt.Sprintf("%s (attempt %d, on %s)", what, e.Attempt, e.Node)
}
