// Package exec is the local engine. (Skeleton: the interface is final, the inside is not.)
package exec

import (
	"context"
	"errors"
	"runtime"
	"sync"
)

// Config sizes an Engine.
type Config struct {
	Workers int // 0: one per usable core
}

// An Engine runs jobs on workers.
type Engine struct {
	slots chan int
}

// New starts an engine.
func New(c Config) (*Engine, error) {
	if c.Workers < 0 {
		return nil, errors.New("exec: negative Workers")
	}
	if c.Workers == 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	e := &Engine{slots: make(chan int, c.Workers)}
	for i := range c.Workers {
		e.slots <- i
	}
	return e, nil
}

// Close waits for what runs and stops the workers.
func (e *Engine) Close() error { return nil }

// JobConfig describes a job.
type JobConfig struct {
	Name     string
	Tenant   string // "" is the default tenant
	Nice     int    // -20..19
	External bool   // its tasks wait for something outside this process, as commands do: they hold a slot, not our CPU
}

// A Job is a set of tasks submitted together.
type Job struct {
	e      *Engine
	wg     sync.WaitGroup
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// NewJob opens a job.
func (e *Engine) NewJob(c JobConfig) (*Job, error) {
	ctx, cancel := context.WithCancelCause(context.Background())
	return &Job{e: e, ctx: ctx, cancel: cancel}, nil
}

// Cancel drops what has not started and cancels the context of what runs.
func (j *Job) Cancel(cause error) { j.cancel(cause) }

// Close says that nothing more will be submitted.
func (j *Job) Close() {}

// Wait returns when the job is closed and every task has ended.
func (j *Job) Wait(ctx context.Context) error { j.wg.Wait(); return context.Cause(j.ctx) }

// A Ctx is handed to every task; it is valid until the task returns.
type Ctx struct {
	job    *Job
	worker int
}

// Context is cancelled with the job.
func (c *Ctx) Context() context.Context { return c.job.ctx }

// Worker is the slot that the task runs on, from 0.
func (c *Ctx) Worker() int { return c.worker }

// A Bag is a flat set of tasks of one function.
type Bag[A any] struct {
	j  *Job
	fn func(*Ctx, A)
}

// NewBag makes a bag in a job.
func NewBag[A any](j *Job, fn func(*Ctx, A)) *Bag[A] { return &Bag[A]{j, fn} }

// Submit adds a task; it blocks while the bag is full, until ctx ends.
func (b *Bag[A]) Submit(ctx context.Context, a A) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-b.j.ctx.Done():
		return context.Cause(b.j.ctx)
	case s := <-b.j.e.slots:
		b.j.wg.Add(1)
		go func() {
			defer b.j.wg.Done()
			b.fn(&Ctx{b.j, s}, a)
			b.j.e.slots <- s
		}()
		return nil
	}
}
