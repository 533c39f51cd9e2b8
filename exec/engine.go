package exec

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/filchsched/filch/exec/fair"
	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/topology"
)

// DefaultSlice is the least time that a turn pays for. At 2 ms the fair lock,
// which is taken once per turn, is invisible, and two jobs still alternate
// faster than a person can see.
const DefaultSlice = 2 * time.Millisecond

// MaxWorkers bounds the workers of one engine.
const MaxWorkers = 4096

// ErrClosed is returned for work that comes after Close.
var ErrClosed = errors.New("exec: engine is closed")

// Config sizes an Engine. The zero value means: this machine, all of it.
type Config struct {
	// Workers is the number of cores to use; 0 means as many as the
	// affinity mask and the cgroup quota allow, following their changes.
	Workers int
	// Topology says how far apart the cores are; nil means that of this
	// machine, read when first needed.
	Topology *topology.Topology
	// Slice is the least time that a turn pays for; 0 means DefaultSlice.
	Slice time.Duration
	// Memory is what tasks that declare memory may hold together, in
	// bytes; 0 means no bound.
	Memory int64
	// Log receives overruns and substitutions; nil discards them.
	Log *slog.Logger

	// Idle, if set, is called when the number of workers that sleep has
	// changed (Engine.Idle). It is called under the fair lock, one call after the
	// other and the last one with the last number: it must not block, and call nothing of the
	// engine but Idle. An engine that closes ends with 0.
	Idle func(idle int)

	// load replaces processLoad in tests.
	load func() (cpu time.Duration, runnable int, ok bool)
}

// An Engine runs jobs on workers, one per core. All methods are safe for
// concurrent use.
//
// Lock order: inbox.mu of a job before Engine.mu; Engine.ctxMu is a leaf.
// Nothing runs user code, steals or parks while it holds any of them, but for
// the hook Config.Idle.
type Engine struct {
	base time.Time
	log  *slog.Logger
	load func() (cpu time.Duration, runnable int, ok bool)

	// mu is the fair lock: taken once per turn and once per change from
	// "no work visible" to "some".
	mu      sync.Mutex
	queue   *fair.Queue
	tenants map[string]*fair.Group
	jobs    map[*Job]struct{}
	crew
	admission
	entitlements

	// events counts announcements. It is written under mu and read without
	// it by workers that look once more before they park.
	events atomic.Uint64
	// hungry counts workers that search or sleep: one plain load tells a
	// task whether splitting is worth it.
	hungry atomic.Int32
	// idle is how many workers sleep. Written under mu, read without.
	idle struct {
		hook  func(int) // constant
		count atomic.Int32
	}

	stacks
	watchdog
}

// New starts an engine. Close must be called to release its goroutines.
func New(c Config) (*Engine, error) {
	if c.Workers < 0 || c.Workers > MaxWorkers {
		return nil, fmt.Errorf("exec: Workers is %d; it must be between 0 (all usable cores) and %d", c.Workers, MaxWorkers)
	}
	if c.Slice < 0 || c.Memory < 0 {
		return nil, fmt.Errorf("exec: Slice (%v) and Memory (%d) must not be negative", c.Slice, c.Memory)
	}
	top := c.Topology
	if top == nil {
		top = localTopology()
	}
	follows := c.Workers == 0 && c.Topology == nil
	if c.Workers == 0 {
		c.Workers = top.Workers()
	}
	if c.Slice == 0 {
		c.Slice = DefaultSlice
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.load == nil {
		c.load = processLoad
	}
	e := &Engine{
		base:    time.Now(),
		log:     c.Log,
		load:    c.load,
		queue:   fair.NewQueue(c.Slice),
		tenants: make(map[string]*fair.Group),
		jobs:    make(map[*Job]struct{}),
	}
	e.crew.machine = top
	e.watchdog.follows = follows
	e.admission.memory = c.Memory
	e.idle.hook = c.Idle
	e.watchdog.kick = make(chan struct{}, 1)
	e.watchdog.stop = make(chan struct{})
	e.stacks.wg.Add(1)
	go e.watch()
	e.mu.Lock()
	e.setTarget(c.Workers)
	e.mu.Unlock()
	return e, nil
}

// localTopology reads the machine once per process.
var localTopology = sync.OnceValue(func() *topology.Topology {
	t, err := topology.Read()
	if err != nil || len(t.CPUs) == 0 {
		t = &topology.Topology{CPUs: make([]topology.CPU, runtime.GOMAXPROCS(0))}
		for i := range t.CPUs {
			t.CPUs[i] = topology.CPU{OS: i, Core: i}
		}
	}
	return t
})

// now is the engine's clock: nanoseconds since New, monotonic.
func (e *Engine) now() int64 { return int64(time.Since(e.base)) }

// Close cancels every job that is still open, waits until what runs has
// returned, and ends the workers. It is not for tasks to call.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		e.stacks.wg.Wait()
		return nil
	}
	e.closed = true
	open := make([]*Job, 0, len(e.jobs))
	for j := range e.jobs {
		open = append(open, j)
	}
	e.mu.Unlock()
	for _, j := range open {
		j.Cancel(ErrClosed)
		j.Close()
		<-j.done
	}
	e.mu.Lock()
	e.setExtra(0)
	e.setTarget(0)
	e.mu.Unlock()
	close(e.watchdog.stop)
	e.dismissSpare()
	e.stacks.wg.Wait()
	return nil
}

// Capacity returns what one task may ask for at most.
func (e *Engine) Capacity() task.Resources {
	e.mu.Lock()
	defer e.mu.Unlock()
	return task.Resources{Cores: e.target, Memory: e.admission.memory}
}
