package steal

import (
	"runtime"
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal/core"
)

// What costs a call its time is less what is written than how often: a datagram, its system call and the
// wake-up at the other end are some ten times the price of a switch between goroutines. So frames that nobody waits for leave
// with the next that somebody waits for, within bounds.

// haste says how soon a frame has to leave.
type haste uint8

const (
	// whenever: nothing happens at the other end but that something is forgotten. It leaves with the next
	// frame to the same peer, or after lull.
	whenever haste = iota
	// afterRuns: it asks for work ahead of need, because a run has begun. If that is over at once, its report goes along.
	afterRuns
	// atOnce: with this batch.
	atOnce
)

const (
	// lull is how long what may leave whenever it likes waits for company.
	lull = time.Millisecond
	// lullBytes is how much of it waits, at most.
	lullBytes = 8 << 10
	// shortRun is how long a run may be expected to take for others to wait for it.
	shortRun = 20 * time.Microsecond
)

func hasteOf(m core.Message) haste {
	switch m := m.(type) {
	case core.Recorded:
		return whenever
	case core.Offer:
		if m.Cores == 0 && m.Standing {
			return afterRuns
		}
	}
	return atOnce
}

// supersedes tells whether a frame says all that is still true of an offer, or its withdrawal, that was said just before: a thief
// has one offer at a time at a peer, and a withdrawal is of that and all before it.
//
// A thief that asks ahead because a run begins, and does not need to because the run is over, says the one and the other within microseconds.
func supersedes(m core.Message) bool {
	if o, ok := m.(core.Offer); ok {
		return o.Standing
	}
	return isWithdraw(m)
}

func isWithdraw(m core.Message) bool {
	_, ok := m.(core.Withdraw)
	return ok
}

// mark has what was written to a channel leave.
func (l *loop) mark(c *channel, h haste) {
	if !c.dirty {
		c.dirty, c.haste, c.leaves = true, h, l.now+lull
		l.written = append(l.written, c)
	}
	c.haste = max(c.haste, h)
	if c.haste > whenever || len(c.fresh) > lullBytes {
		c.leaves = l.now
	}
}

// flush hands what has to leave to the writers.
func (l *loop) flush() {
	kept := l.written[:0]
	for _, c := range l.written {
		if c.leaves > l.now && !c.over {
			kept = append(kept, c)
		} else {
			c.flush(l)
		}
	}
	clear(l.written[len(kept):])
	l.written = kept
}

// leaving is when the next flush has something to do, or before.
func (l *loop) leaving(before time.Duration) time.Duration {
	for _, c := range l.written {
		before = min(before, c.leaves)
	}
	return before
}

// begun notes that a run begins.
func (l *loop) begun(r *core.Run) {
	if r.Terms.Kind == task.KindFunc && time.Duration(r.Piece.Len())*l.usual < shortRun {
		l.quick = true
	}
}

// letRun lets runs go first that have just begun and, going by the last, are over at once, unless something is to leave
// that is more urgent. It tells whether it did; what is to be flushed still is.
//
// It gives this goroutine's place to theirs once. If they take longer than expected, another processor goes on with
// the loop: a process has one more of these than workers.
func (l *loop) letRun() bool {
	if !l.quick {
		return false
	}
	l.quick = false
	for _, c := range l.written {
		if c.haste == atOnce {
			return false
		}
	}
	runtime.Gosched()
	return true
}
