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
func caught(v any) *PanicError {
	if p, ok := v.(*PanicError); ok {
		return p // it has come through a Join: keep the first stack
	}
	if v == nil {
		v = ErrGoexit
	}
	return &PanicError{Value: v, Stack: debug.Stack()}
}

// exited is run when the goroutine of a stack ends, in order or because a task
// called runtime.Goexit. In the latter case the stack goes on with another
// goroutine: it holds a worker, and children that somebody must run.
func (c *Ctx) exited() {
	c.goroutine.Store(0)
	if c.w != nil {
		go c.serve()
		return
	}
	c.e.retireStack(c)
	c.e.wg.Done()
}

// endCut ends a unit that was cut short because a task ended the goroutine.
func (c *Ctx) endCut() {
	if c.inUnit {
		c.job.Load().putBack(c.span.close())
		c.endUnit()
	}
}
