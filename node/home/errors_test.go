package home

import (
	"context"
	"errors"
	"testing"

	"github.com/filchsched/filch/exec/call"
	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal/core"
)

// TestAFailureTellsItsKind, and who is to blame.
func TestAFailureTellsItsKind(t *testing.T) {
	for kind, want := range map[call.Failure]error{
		call.Panicked: ErrPanic, call.BadArgument: ErrArgument, call.BadResult: ErrResult, call.TooDeep: ErrTooDeep,
		call.TimedOut: ErrTimedOut, call.Unknown: ErrUnknownFunction, call.Lost: ErrLost,
	} {
		err := failure("f@v1", &core.Commit{State: task.Failed, Exit: int32(kind), Reason: "why", Host: "peer"})
		var e *TaskError
		if !errors.Is(err, want) || !errors.As(err, &e) || e.Node != "peer" || e.Function != "f@v1" || errors.Is(err, ErrCancelled) {
			t.Errorf("%v: %#v", want, err)
		}
	}
	lost := failure("f@v1", &core.Commit{State: task.Failed, Reason: reasonCrashLimit, Host: "last"})
	if !errors.Is(lost, ErrLost) {
		t.Errorf("%v", lost)
	}
	if late := failure("f", &core.Commit{State: task.Failed, Exit: int32(call.TimedOut)}); !errors.Is(late, context.DeadlineExceeded) {
		t.Errorf("%v", late)
	}
	if command := (&TaskError{Exit: int(call.Panicked)}); errors.Is(command, ErrPanic) {
		t.Error("a command's exit code is taken for a panic")
	}
}
