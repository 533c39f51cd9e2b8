package function

import (
	"context"

	"github.com/filchsched/filch/exec"
	"github.com/filchsched/filch/steal/core"
)

// A Task is what a call that runs knows of itself. It is valid until the call returns.
type Task struct {
	Stack *exec.Ctx
	Piece core.Piece
	Index uint64      // in the job of Piece
	Name  string      // of the function
	From  core.PeerID // who lent it; "" if its home is this node
	Owner any         // whom the executor works for: the node
	Kept  any         // what who runs calls keeps from one call of the piece to the next
}

// A Local is a set of calls of this process's own that are run as Go values, without an encoding. Run
// keeps the result itself, by the attempt that committed or not at all, and returns why the call failed.
type Local interface {
	Run(ctx context.Context, t *Task) error
}

// taskKey finds the Task in a context.
type taskKey struct{}

// TaskOf returns the running call that ctx was made for, or nil.
func TaskOf(ctx context.Context) *Task {
	t, _ := ctx.Value(taskKey{}).(*Task)
	return t
}
