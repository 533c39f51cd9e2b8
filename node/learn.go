package node

import (
	"context"
	"errors"
	"time"

	"github.com/filchsched/filch/exec/proc"
	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/node/home"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
	"github.com/filchsched/filch/steal/cost"
)

// A learner is the home of a node's tasks that lets the cost model see each outcome as it is committed: what ran
// where for how long. So stealing teaches Decide.
type learner struct {
	*home.Table
	d *decider
}

var _ steal.Home = learner{}

// Committed implements steal.Home. It is called on the driver's goroutine.
func (l learner) Committed(c core.Commit, outputs []steal.Output) {
	l.d.saw(l.Table, &c)
	l.Table.Committed(c, outputs)
}

const (
	// learnAlways is how long tasks are of which every one teaches. Of shorter ones one in learnEach does: they are many, and alike.
	learnAlways = time.Millisecond
	learnEach   = 64
)

func (d *decider) saw(t *home.Table, c *core.Commit) {
	n := time.Duration(c.Piece.Len())
	if c.State != task.Done || c.Ran <= 0 || n == 0 {
		return
	}
	each := c.Ran / n
	if each < learnAlways && d.skipped.Add(1)%learnEach != 0 {
		return
	}
	name, kind, ok := t.Owns(c.Piece.Job)
	if !ok {
		return
	}
	s := cost.Sample{In: -1, Out: 0, Ran: each}
	if kind == task.KindProc {
		s.In = 0 // of commands it is not known what they read
	}
	for _, v := range c.Values {
		s.Out += int64(len(v))
	}
	s.Out /= int64(n)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.model.Learn(proc.Clock(), name, string(c.Host), s)
}

// wrongNode is what an error of the driver means to who asks for a decision.
func wrongNode(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return err
	}
	return ErrEnded
}
