package node

import (
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/filchsched/filch/exec/proc"
	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/node/command"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// commands runs commands. It is made with the first one: a node that never runs any opens no
// file and has no supervisor for them.
type commands struct {
	log  *slog.Logger
	name string // of this node

	mu     sync.Mutex
	closed bool              // guarded by mu, like what follows
	runner *proc.Runner      // nil before the first command
	to     *command.Executor // likewise
}

var _ steal.Executor = (*commands)(nil)

// Wants implements steal.Executor.
func (c *commands) Wants(core.JobID) bool { return true }

// Start implements steal.Executor.
func (c *commands) Start(r steal.Run, end func(steal.End)) {
	to, err := c.begin()
	if err != nil {
		end(steal.End{Finished: core.Finished{Piece: r.Piece, State: task.Failed, Smell: true, Reason: err.Error()}})
		return
	}
	to.Start(r, end)
}

func (c *commands) begin() (*command.Executor, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, ErrEnded
	}
	if c.to != nil {
		return c.to, nil
	}
	runner, err := proc.New(proc.Config{})
	if err != nil {
		return nil, err
	}
	c.runner, c.to = runner, command.NewExecutor(runner, c.log)
	c.to.Host = c.name
	return c.to, nil
}

func (c *commands) begun() *command.Executor {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.to
}

// Halt implements steal.Executor.
func (c *commands) Halt(p core.Piece) {
	if to := c.begun(); to != nil {
		to.Halt(p)
	}
}

// Leash implements steal.Executor. What is leashed before the first command counts, too.
func (c *commands) Leash(key uint64, until time.Duration) {
	if key == 0 {
		return
	}
	if to, err := c.begin(); err == nil {
		to.Leash(key, until)
	}
}

// Close ends what runs and what it left behind, and returns when it has ended.
func (c *commands) Close() error {
	c.mu.Lock()
	c.closed = true
	runner, to := c.runner, c.to
	c.mu.Unlock()
	if to == nil {
		return nil
	}
	return errors.Join(to.Close(), runner.Close())
}
