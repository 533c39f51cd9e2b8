package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/filchsched/filch/exec/proc"
	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// An Executor runs commands for a driver. It implements steal.Executor for tasks of kind
// task.KindProc. All methods may be called concurrently.
type Executor struct {
	// Host is the name under which results tell where they are from. It is set before the
	// first Start; NewExecutor sets the machine's name.
	Host string

	log   *slog.Logger
	own   bool // it executes what its own process is home of
	one   func(ctx context.Context, r steal.Run, index uint64, l *proc.Leash) proc.Result
	clock func() time.Duration

	ctx   context.Context // ends with Close
	end   context.CancelFunc
	group sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	runs    map[core.Piece]context.CancelCauseFunc
	leashes map[uint64]*leash
}

// A leash is what the driver knows under a number. One that nothing runs under is forgotten
// when it is over.
type leash struct {
	*proc.Leash
	runs int
}

// ErrHalted is the cause of the end of a command that the driver halted.
var ErrHalted = errors.New("its home does not want it any more")

// NewExecutor returns an executor for the tasks of others, which it decodes. A nil log discards. The
// driver's clock has to be proc.Clock.
func NewExecutor(runner *proc.Runner, log *slog.Logger) *Executor {
	x := newExecutor(log)
	x.Host, _ = os.Hostname()
	x.one = func(ctx context.Context, r steal.Run, index uint64, l *proc.Leash) proc.Result {
		return x.foreign(ctx, runner, r, index, l)
	}
	return x
}

// NewOwn returns an executor for the tasks of a home in this process, which run executes. Host is "".
func NewOwn(run func(ctx context.Context, r core.Run, index uint64) proc.Result) *Executor {
	x := newExecutor(nil)
	x.own = true
	x.one = func(ctx context.Context, r steal.Run, index uint64, _ *proc.Leash) proc.Result {
		return run(ctx, r.Run, index)
	}
	return x
}

func newExecutor(log *slog.Logger) *Executor {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	x := &Executor{log: log, clock: proc.Clock, runs: make(map[core.Piece]context.CancelCauseFunc), leashes: make(map[uint64]*leash)}
	x.ctx, x.end = context.WithCancel(context.Background())
	return x
}

// Wants implements steal.Executor.
func (x *Executor) Wants(core.JobID) bool { return !x.own }

// Start implements steal.Executor. Each piece has a goroutine, and its commands run one after the
// other.
func (x *Executor) Start(r steal.Run, end func(steal.End)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	ctx, cancel := context.WithCancelCause(x.ctx)
	l := x.hold(r.Leash)
	x.runs[r.Piece] = cancel
	begun := !x.closed
	if begun {
		x.group.Go(func() { x.run(ctx, r, l, end) })
		return
	}
	delete(x.runs, r.Piece)
	x.unhold(r.Leash)
	go end(endOf(r.Piece, nil, "", x.own)) // not on the driver's goroutine, which waits for us
}

func (x *Executor) run(ctx context.Context, r steal.Run, l *proc.Leash, end func(steal.End)) {
	var results []proc.Result
	for i := r.Piece.Lo; i < r.Piece.Hi && ctx.Err() == nil; i++ {
		if l != nil && x.clock() >= l.Until() {
			break
		}
		results = append(results, x.one(ctx, r, i, l))
	}
	x.mu.Lock()
	cancel := x.runs[r.Piece]
	delete(x.runs, r.Piece)
	x.unhold(r.Leash)
	x.mu.Unlock()
	cancel(nil)
	end(endOf(r.Piece, results, x.Host, x.own))
}

// foreign runs a command of somebody else's.
func (x *Executor) foreign(ctx context.Context, runner *proc.Runner, r steal.Run, index uint64, l *proc.Leash) proc.Result {
	k := index - r.Piece.Lo
	if k >= uint64(len(r.Bodies)) {
		return unfit(fmt.Errorf("command: %d tasks came with %d bodies", r.Piece.Len(), len(r.Bodies)))
	}
	h, err := DecodeHeader(r.Header)
	if err != nil {
		return unfit(err)
	}
	b, err := DecodeBody(r.Bodies[k])
	if err != nil {
		return unfit(err)
	}
	c := h.command(&b)
	c.Leash = l
	x.log.Debug("a command begins", "home", r.Piece.Job.Home, "task", b.Seq, "attempt", b.Attempt)
	return h.Run(ctx, runner, c)
}

// unfit is the result of a command that did not come as far as being executed: a failure of filch's,
// not of the command.
func unfit(err error) proc.Result {
	return proc.Result{Start: time.Now(), Outcome: task.Outcome{
		State: task.Failed, Exit: proc.ExitFilchFailed, Err: &proc.Failure{Op: "cannot execute a command for a peer", Err: err},
	}}
}

// Halt implements steal.Executor.
func (x *Executor) Halt(p core.Piece) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if cancel := x.runs[p]; cancel != nil {
		cancel(ErrHalted)
	}
}

// Leash implements steal.Executor.
func (x *Executor) Leash(key uint64, until time.Duration) {
	if key == 0 {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if l := x.leashes[key]; l != nil {
		l.Move(until)
		return
	}
	now := x.clock()
	for k, l := range x.leashes { // there are as many as leases that this node holds: few
		if l.runs == 0 && l.Until() < now {
			delete(x.leashes, k)
		}
	}
	x.leashes[key] = &leash{Leash: proc.NewLeash(until)}
}

// hold returns the leash of a run that begins. The caller has the lock. A leash of which the driver has
// not said how long it is, is over.
func (x *Executor) hold(key uint64) *proc.Leash {
	if key == 0 {
		return nil
	}
	l := x.leashes[key]
	if l == nil {
		l = &leash{Leash: proc.NewLeash(x.clock())}
		x.leashes[key] = l
	}
	l.runs++
	return l.Leash
}

func (x *Executor) unhold(key uint64) {
	if l := x.leashes[key]; l != nil {
		l.runs--
	}
}

// Close ends what runs and returns when it has ended. Later starts end at once.
func (x *Executor) Close() error {
	x.mu.Lock()
	x.closed = true
	x.mu.Unlock()
	x.end()
	x.group.Wait()
	return nil
}
