package call

import (
	"context"
	"errors"
	"fmt"
)

// A Failure is why a call failed, as it travels: a code that says of what kind, and a text.
type Failure int32

// The kinds of failures. They travel as the exit code of a call; the zero value is an error of a peer
// that does not tell.
const (
	Failed      Failure = 1 // the function returned an error
	Panicked    Failure = 2 // the function panicked; the text has the stack behind StackMark
	BadArgument Failure = 3 // the argument could not be decoded
	BadResult   Failure = 4 // the result could not be encoded
	TooDeep     Failure = 5 // tasks are nested too deeply
	TimedOut    Failure = 6 // its deadline passed
	Unknown     Failure = 7 // where it was to run nobody knows it
	Lost        Failure = 8 // the nodes that ran it were lost, too often
)

// StackMark stands between what a function panicked with and the stack.
const StackMark = "\n\n"

// An Error is an error with the kind of the failure.
type Error struct {
	Kind Failure
	Err  error
}

// Error is the text that travels.
func (e *Error) Error() string { return e.Err.Error() }

// FailureKind is what KindOf finds.
func (e *Error) FailureKind() Failure { return e.Kind }

// Unwrap returns the error itself.
func (e *Error) Unwrap() error { return e.Err }

// KindOf is the kind of an error that a function returned.
func KindOf(err error) Failure {
	var e interface{ FailureKind() Failure }
	if errors.As(err, &e) {
		return e.FailureKind()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return TimedOut
	}
	return Failed
}

// Errorf makes an Error.
func Errorf(kind Failure, format string, args ...any) error {
	return &Error{kind, fmt.Errorf(format, args...)}
}
