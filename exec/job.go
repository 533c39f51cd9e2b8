package exec

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/filchsched/filch/exec/fair"
	"github.com/filchsched/filch/exec/park"
)

// JobConfig describes a job.
type JobConfig struct {
	// Name is for people.
	Name string
	// Tenant is whose job it is; "" is the default tenant. Tenants share
	// the machine first, then each shares its part between its jobs.
	Tenant string
	// Nice is the job's weight within its tenant, from -20 to 19, as
	// nice(1): each step is worth a factor of 1.25.
	Nice int
	// MaxWorkers bounds how many workers it has at once; 0 means no bound.
	MaxWorkers int
	// MaxQueued bounds what waits in its inbox; Submit blocks above it.
	// 0 means DefaultMaxQueued.
	MaxQueued int
	// External says that its tasks wait for something outside this process
	// while they hold a core, as commands do: low CPU use of this process
	// is then no sign of blocking.
	External bool

	weight int64 // overrides Nice in tests
}

// DefaultMaxQueued bounds what waits in a job's inbox: enough to keep workers
// busy while the submitter is descheduled, and little memory.
const DefaultMaxQueued = 1 << 16

// A Job is a set of tasks submitted together: what fairness is between. All
// methods are safe for concurrent use.
type Job struct {
	e        *Engine
	name     string
	external bool
	ctx      context.Context
	cancel   context.CancelCauseFunc
	done     chan struct{}
	fair     *fair.Job // guarded by Engine.mu
	// owedSince is when the watchdog first saw the job without its share,
	// engine time; 0: it has it. Guarded by Engine.mu.
	owedSince int64

	present park.Presence
	in      inbox

	// units counts what is under way: pieces of bags and submitted calls
	// that were taken, and children that were stolen. While a unit is
	// under way the job is not over.
	units atomic.Int64
	// usual is the EWMA of a task's time in nanoseconds; written by any
	// worker at the end of a batch, so some samples may get lost.
	usual atomic.Int64

	ran      atomic.Int64 // tasks that ran, children not counted
	failures failures
}

// failures collects what went wrong in a job's tasks.
type failures struct {
	mu    sync.Mutex
	n     int
	first error
}

func (f *failures) add(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
	if f.first == nil {
		f.first = err
	}
}

func (f *failures) err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.n > 1 {
		return fmt.Errorf("%d tasks failed, the first: %w", f.n, f.first)
	}
	return f.first
}

// NewJob opens a job. It must be closed with Job.Close; a job that is neither
// closed nor cancelled stays until the engine closes.
func (e *Engine) NewJob(c JobConfig) (*Job, error) {
	weight, err := fair.WeightOf(c.Nice)
	if err != nil {
		return nil, fmt.Errorf("exec: job %q: %w", c.Name, err)
	}
	if c.MaxWorkers < 0 || c.MaxQueued < 0 {
		return nil, fmt.Errorf("exec: job %q: MaxWorkers (%d) and MaxQueued (%d) must not be negative", c.Name, c.MaxWorkers, c.MaxQueued)
	}
	if c.MaxQueued == 0 {
		c.MaxQueued = DefaultMaxQueued
	}
	j := &Job{e: e, name: c.Name, external: c.External, done: make(chan struct{})}
	j.ctx, j.cancel = context.WithCancelCause(context.Background())
	j.in.init(c.MaxQueued)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, ErrClosed
	}
	if c.weight != 0 {
		weight = c.weight
	}
	j.fair = e.tenant(c.Tenant).NewJob(weight, c.MaxWorkers)
	j.fair.Owner = j
	e.jobs[j] = struct{}{}
	return j, nil
}

// tenant returns the group of a tenant, of weight nice 0 unless SetTenant said
// otherwise. The caller holds e.mu.
func (e *Engine) tenant(name string) *fair.Group {
	g := e.tenants[name]
	if g == nil {
		w, _ := fair.WeightOf(0)
		g = e.queue.Root().NewGroup(w)
		e.tenants[name] = g
	}
	return g
}

// SetTenant sets the nice value of a tenant against the others.
func (e *Engine) SetTenant(name string, nice int) error {
	weight, err := fair.WeightOf(nice)
	if err != nil {
		return fmt.Errorf("exec: tenant %q: %w", name, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tenant(name).SetWeight(weight)
	return nil
}

// Name returns the job's name.
func (j *Job) Name() string { return j.name }

// Context is cancelled with the job.
func (j *Job) Context() context.Context { return j.ctx }

// ErrJobClosed is returned for tasks submitted to a closed job.
var ErrJobClosed = errors.New("exec: job is closed")

// ErrCancelled is the cause of a job that was cancelled without one.
var ErrCancelled = errors.New("exec: job was cancelled")

// Close says that nothing more will be submitted from outside. Wait returns
// when what was submitted has ended. Closing twice is harmless.
func (j *Job) Close() {
	j.in.mu.Lock()
	j.in.closed = true
	j.in.wakeSubmitters()
	j.in.mu.Unlock()
	j.checkDone()
}

// Cancel drops every task that has not started, cancels the context of those
// that run, and refuses new ones. It does not wait. A nil cause means
// ErrCancelled; only the first cause counts.
func (j *Job) Cancel(cause error) {
	if cause == nil {
		cause = ErrCancelled
	}
	j.cancel(cause)
	j.e.dropReserved(j)
	j.units.Add(1) // the job is not over before the last task has been dropped
	for _, p := range j.in.drain() {
		p.chunk.drop(p)
	}
	j.unitDone()
}

// cancelled is polled between tasks.
func (j *Job) cancelled() bool { return j.ctx.Err() != nil }

// Wait returns when the job is closed or cancelled and all its tasks have ended. The error
// is the first that a task failed with, the cause if the job was cancelled, or
// that of ctx if it ended first.
func (j *Job) Wait(ctx context.Context) error {
	select {
	case <-j.done:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if err := context.Cause(j.ctx); err != nil && !errors.Is(err, errFinished) {
		return err
	}
	return j.failures.err()
}

// errFinished ends the context of a job that has come to its end, so that
// nothing derived from it lives on.
var errFinished = errors.New("exec: job has finished")

// Done is closed when the job is closed or cancelled and all its tasks have
// ended.
func (j *Job) Done() <-chan struct{} { return j.done }

// unitDone ends a unit.
func (j *Job) unitDone() {
	if j.units.Add(-1) == 0 {
		j.checkDone()
	}
}

// checkDone ends the job if nothing is left of it.
func (j *Job) checkDone() {
	j.in.mu.Lock()
	over := (j.in.closed || j.in.refuse) && j.in.queued == 0 && j.units.Load() == 0 && !j.in.over
	if over {
		j.in.over = true
	}
	j.in.mu.Unlock()
	if !over {
		return
	}
	j.e.mu.Lock()
	j.fair.SetWant(false)
	delete(j.e.jobs, j)
	j.e.mu.Unlock()
	j.cancel(errFinished)
	close(j.done)
}

// JobStats is what a job has had so far.
type JobStats struct {
	Ran     int64         // tasks that ran to an end, children not counted
	Failed  int           // of them, or of their children, with a panic
	Queued  int64         // tasks that wait in the inbox
	Service time.Duration // slot time: cores held × time, of turns that run as well
}

// Stats returns what the job has had so far.
func (j *Job) Stats() JobStats {
	j.in.mu.Lock()
	queued := j.in.queued
	j.in.mu.Unlock()
	j.failures.mu.Lock()
	failed := j.failures.n
	j.failures.mu.Unlock()
	j.e.mu.Lock()
	defer j.e.mu.Unlock()
	return JobStats{Ran: j.ran.Load(), Failed: failed, Queued: queued, Service: j.service()}
}

// service sums the slot time of the job. The caller holds Engine.mu.
func (j *Job) service() time.Duration {
	total := j.fair.Service()
	for _, w := range j.e.workers {
		if w.job == j && w.turn.Job != nil {
			total += j.e.slotTime(w)
		}
	}
	return total
}
