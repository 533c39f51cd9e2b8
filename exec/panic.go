package exec

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// A PanicError is a panic of a task, caught where the task ran.
type PanicError struct {
	Value any    // what the task panicked with
	Stack []byte // of the goroutine that ran the task
}

func (p *PanicError) Error() string {
	return fmt.Sprintf("exec: task panicked: %v", p.Value)
}

// Unwrap returns the value if it is an error.
func (p *PanicError) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// ErrGoexit is the value of the panic of a task that called runtime.Goexit,
// which testing.T.FailNow does.
var ErrGoexit = errors.New("exec: task called runtime.Goexit")

// caught makes a PanicError of what recover returned while a task was cut
// short. nil means that nothing panicked: the goroutine is exiting.
func (c *Ctx) caught(v any) *PanicError {
	if p, ok := v.(*PanicError); ok {
		return p // it has come through a Join: keep the first stack
	}
	if v == nil {
		v = ErrGoexit
	}
	return &PanicError{Value: v, Stack: debug.Stack()}
}

// exited is run when the goroutine of a stack ends, in order or because a task
// called runtime.Goexit. In the latter case it ends the unit that was under
// way, as failed, and hands the worker on.
func (c *Ctx) exited() {
	w := c.w
	c.w = nil
	if c.inUnit {
		for r := c.dq.Pop(); r != nil; r = c.dq.Pop() {
			r.fail = &PanicError{Value: ErrGoexit}
			c.finish(r)
		}
		j := c.job.Load()
		j.putBack(c.span.close())
		j.unitDone()
	}
	c.e.retireStack(c)
	if w != nil {
		c.e.give(w)
	}
}
