package home

import (
	"context"

	"github.com/filchsched/filch/steal/core"
)

// A Cancelled is what is known about a cancel. Stopped is certain; Unconfirmed are those
// who vanished with tasks of the job and might still run them.
type Cancelled struct {
	Accepted    bool // nothing of the job starts any more that had not, and nothing commits but cancelled
	Stopped     bool // nothing of it runs anywhere
	Unconfirmed []string
	// Unknown says that somebody might run something, and nobody knows who.
	Unknown bool
}

// cancelling is the state of a job's cancel, under its mu.
type cancelling struct {
	now      Cancelled
	changed  chan struct{} // closed at the next change; nil while nobody waits
	answered bool          // stopped, or unconfirmed
	over     bool          // nothing more will be told
}

func (c *cancelling) told(e core.Effect) {
	switch e := e.(type) {
	case core.CancelAccepted:
		c.now.Accepted = true
	case core.Stopped:
		c.now.Accepted, c.now.Stopped, c.now.Unconfirmed, c.now.Unknown = true, true, nil, false
		c.answered = true
	case core.Unconfirmed:
		c.now.Unconfirmed = nil
		for _, p := range e.Peers {
			c.now.Unconfirmed = append(c.now.Unconfirmed, string(p))
		}
		c.now.Unknown = len(e.Peers) == 0
		c.answered = true
	default:
		return
	}
	c.wake()
}

func (c *cancelling) wake() {
	if c.changed != nil {
		close(c.changed)
		c.changed = nil
	}
}

func (c *cancelling) end() {
	c.over = true
	c.wake()
}

// Cancel cancels what has no outcome yet, and returns when it is known that nothing of
// the job runs any more, or who might; or, with what is known by then, when ctx is done
// after the cancel was accepted. The error says that it was not. Cancelling twice, or a
// job that has ended, is harmless: outcomes that were committed stay.
func (j *Job) Cancel(ctx context.Context) (Cancelled, error) {
	if err := j.table.driver.Tell(core.CancelJob{Job: j.ID}); err != nil {
		return Cancelled{}, ended(err)
	}
	for {
		j.mu.Lock()
		now, answered, over := j.cancel.now, j.cancel.answered, j.cancel.over
		if j.cancel.changed == nil {
			j.cancel.changed = make(chan struct{})
		}
		changed := j.cancel.changed
		j.mu.Unlock()
		switch {
		case now.Accepted && answered:
			return now, nil
		case over && !now.Accepted:
			return now, ErrEnded
		case over:
			return now, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			if now.Accepted {
				return now, nil
			}
			return now, context.Cause(ctx)
		}
	}
}

// Cancellation is what is known about a cancel now.
func (j *Job) Cancellation() Cancelled {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.cancel.now
}
