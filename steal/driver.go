package steal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/filchsched/filch/exec/proc"
	"github.com/filchsched/filch/steal/core"
)

// Config says what a Driver connects.
type Config struct {
	// Core is what the state machine is told. ID, Incarnation, Key and Cores are required.
	Core core.Config
	// Network carries streams to peers.
	Network Network
	// Executor runs tasks on this process's cores; nil for a home that runs none.
	Executor Executor
	// Home hears what becomes of the jobs submitted here.
	Home Home
	// Clock is a monotonic clock that includes suspends; nil: proc.Clock, which leashes of commands go by.
	Clock func() time.Duration
	// Logger gets what the driver has to say; nil: nothing.
	Logger *slog.Logger
}

// A Driver is one process's part in stealing: it owns a core.Core, turns streams, timers
// and the engine's ends into its events, and carries its effects out. Make one with New
// and Run it. All other methods may be called concurrently; they do not block for longer
// than the driver takes for a step, and return ErrEnded after Run has returned.
type Driver struct {
	config Config
	mail   *mailbox
	counts counters

	bodies  *bodies
	outputs *outputs

	// Streams and goroutines, so that Run can end them.
	mu      sync.Mutex
	streams map[Stream]struct{}
	ended   bool
	running sync.WaitGroup
	ctx     context.Context // of Run; set before anything reads it
}

// ErrEnded is returned by a Driver whose Run has returned.
var ErrEnded = errors.New("steal: the driver has ended")

// New returns a driver that does nothing yet.
func New(c Config) (*Driver, error) {
	switch {
	case c.Core.ID == "":
		return nil, errors.New("steal: Config.Core.ID is missing")
	case c.Core.Incarnation == 0:
		return nil, errors.New("steal: Config.Core.Incarnation is missing: count the starts of this process from 1")
	case c.Network == nil:
		return nil, errors.New("steal: Config.Network is missing")
	case c.Executor == nil && c.Core.Cores > 0:
		return nil, errors.New("steal: Config.Executor is missing, but there are cores for it")
	}
	if c.Home == nil {
		c.Home = nobody{}
	}
	if c.Clock == nil {
		c.Clock = proc.Clock
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	d := &Driver{config: c, mail: newMailbox(), bodies: newBodies(), streams: make(map[Stream]struct{})}
	d.outputs = newOutputs()
	return d, nil
}

// Run is the driver's life. It returns when ctx ends, after every stream is closed and
// every goroutine of the driver has ended. It may be called once.
func (d *Driver) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d.ctx = ctx
	l := newLoop(d)
	d.config.Network.Handle(controlProtocol, d.handleControl)
	d.config.Network.Handle(dataProtocol, d.handleData)
	l.run(ctx)
	cancel()
	d.config.Network.Handle(controlProtocol, nil)
	d.config.Network.Handle(dataProtocol, nil)
	left := d.mail.end()
	d.endStreams()
	for k := range left { // nobody waits for what is not dealt with any more
		if m := &left[k]; m.credit != nil {
			m.credit.release(m.bytes)
		}
	}
	d.outputs.end()
	l.end()
	d.running.Wait()
	return nil
}

// start runs f on a goroutine that Run waits for; false when the driver has ended.
func (d *Driver) start(f func()) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return false
	}
	d.running.Add(1)
	go func() {
		defer d.running.Done()
		f()
	}()
	return true
}

// own makes a stream one that Run resets at its end; false, and the stream is reset, when
// the driver has ended.
func (d *Driver) own(s Stream) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		s.Reset()
		return false
	}
	d.streams[s] = struct{}{}
	return true
}

// disown resets a stream.
func (d *Driver) disown(s Stream) {
	d.mu.Lock()
	delete(d.streams, s)
	d.mu.Unlock()
	s.Reset()
}

func (d *Driver) endStreams() {
	d.mu.Lock()
	d.ended = true
	streams := d.streams
	d.streams = nil
	d.mu.Unlock()
	for s := range streams {
		s.Reset()
	}
}

// Submit makes a job of n tasks, which may be 0, and returns its name. What to run is
// asked of Home.Header and Home.Body when a task leaves this process, and given to
// Executor.Start by the same way when it stays.
func (d *Driver) Submit(ctx context.Context, t core.Terms, n uint64) (core.JobID, error) {
	got := make(chan core.JobID, 1)
	ok := d.mail.put(mail{do: func(l *loop) {
		l.refs++
		l.submitted[l.refs] = got
		l.step(core.Submit{Ref: l.refs, Terms: t, N: n})
	}})
	if !ok {
		return core.JobID{}, ErrEnded
	}
	select {
	case id := <-got:
		return id, nil
	case <-ctx.Done():
		return core.JobID{}, fmt.Errorf("steal: submitting a job: %w", ctx.Err())
	case <-d.mail.done:
		return core.JobID{}, ErrEnded
	}
}

// Tell hands events to the state machine, in order: Extend, CancelJob, CancelTasks, Slack, RecallJob, PauseJob, Forget,
// Candidates, Members, Resize, Drain, Left, Functions, Guest. It does not wait for their effects.
func (d *Driver) Tell(events ...core.Event) error {
	var room [8]mail
	list := room[:0]
	for _, ev := range events {
		if x, ok := ev.(core.Extend); ok && x.N > 0 {
			list = append(list, mail{extend: x})
		} else {
			list = append(list, mail{ev: ev})
		}
	}
	if !d.mail.put(list...) {
		return ErrEnded
	}
	return nil
}

// Extend is Tell(core.Extend{job, n}) without an allocation, for calls that come one by one.
func (d *Driver) Extend(job core.JobID, n uint64) error {
	if n > 0 && !d.mail.put(mail{extend: core.Extend{Job: job, N: n}}) {
		return ErrEnded
	}
	return nil
}

// ExtendBy has a job extended by as many tasks as more returns, which is called once, between two steps, and must
// not block. So tasks that come one by one while the driver is busy become one event.
func (d *Driver) ExtendBy(job core.JobID, more func() uint64) error {
	if !d.mail.put(mail{extend: core.Extend{Job: job}, more: more}) {
		return ErrEnded
	}
	return nil
}

// Ask runs f between two steps, for looking: Explain, Stats. f must not keep c.
func (d *Driver) Ask(ctx context.Context, f func(c *core.Core)) error {
	done := make(chan struct{})
	if !d.mail.put(mail{do: func(l *loop) { f(l.core); close(done) }}) {
		return ErrEnded
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("steal: asking the state machine: %w", ctx.Err())
	case <-d.mail.done:
		return ErrEnded
	}
}

// nobody is the home of a process that submits nothing.
type nobody struct{}

var errNobody = errors.New("steal: this process is nobody's home")

func (nobody) Header(core.JobID) ([]byte, error) { return nil, errNobody }
func (nobody) Body(b []byte, _ core.JobID, _ uint64) ([]byte, error) {
	return b, errNobody
}
func (nobody) Committed(_ core.Commit, outputs []Output) {
	for _, o := range outputs {
		o.Data.Close()
	}
}
func (nobody) Told(core.Effect) {}
