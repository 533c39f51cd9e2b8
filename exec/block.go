package exec

import (
	"context"

	"github.com/filchsched/filch/exec/gid"
)

// Block runs fn, which may block, and lends the worker to other stacks for as
// long. Afterwards the task waits for a worker again, before new tasks. fn may
// call Block, to no effect, but must not spawn or join.
func (c *Ctx) Block(fn func()) {
	if c.w == nil {
		fn() // lent already
		return
	}
	c.e.give(c.lend())
	defer func() {
		c.job.Load().pushReady(c)
		<-c.wake
		c.resumed()
	}()
	fn()
}

// ctxKey finds the Ctx in a context.
type ctxKey struct{}

// Context returns a context that is cancelled with the job and by which
// Bag.Submit knows that a task of the job is calling. It must not be used after the
// task has returned.
func (c *Ctx) Context() context.Context {
	j := c.job.Load()
	if c.ctx == nil || c.ctxJob != j {
		c.ctx = context.WithValue(j.ctx, ctxKey{}, c)
		c.ctxJob = j
	}
	return c.ctx
}

// insideOf returns the Ctx of the task of j that ctx was made for, if any.
func insideOf(ctx context.Context, j *Job) *Ctx {
	if c, ok := ctx.Value(ctxKey{}).(*Ctx); ok && c.job.Load() == j {
		return c
	}
	return nil
}

// Hungry reports whether some worker has nothing to do and this stack has
// nothing queued that it could take. It is one plain load while nobody idles: a
// task that can split asks it at every step, and splits only when somebody
// would take the other half.
func (c *Ctx) Hungry() bool { return c.hungry.Load() > 0 && c.dq.Len() == 0 }

// Worker returns the slot number that the task runs on, from 0. It may change
// when the task joins, blocks or spawns.
func (c *Ctx) Worker() int { return int(c.lastWorker.Load()) }

// Current reports whether the caller runs on the task's own goroutine and has its
// worker: whether it may spawn and join. It may be called from any goroutine, at any time: a goroutine that
// the task has started, code inside Block, and whoever kept c beyond its task on another
// goroutine get false. (Whether the stack has gone on to another task, it does not tell.)
func (c *Ctx) Current() bool {
	// w belongs to the stack: looked at only if that is who asks.
	return c.goroutine.Load() == gid.Current() && c.w != nil
}

// Job returns the job of the task.
func (c *Ctx) Job() *Job { return c.job.Load() }

// ShouldYield reports whether the job was cancelled or the turn is long over
// and others wait: a long task without spawns may save its state and return.
func (c *Ctx) ShouldYield() bool {
	return c.w != nil && c.w.overdue.Load() || c.job.Load().cancelled()
}

// Queued returns how many children wait in the stack's own deque. It may be called by the task only.
func (c *Ctx) Queued() int { return c.dq.Len() }
