package proc

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrLeash is the cause of the end of a command whose leash was over.
var ErrLeash = errors.New("its leash was over")

// A Leash is a moment after which commands must not run any more, whatever becomes of this
// process until then. It can be moved while they run, and one may be that of many commands. When it is over a command gets
// TERM, and KILL after the grace of two seconds, with everything that still is its descendant.
//
// Where there is a supervisor (see Supervise) it keeps the time itself, on memory that it shares with
// filch: a filch that is stopped, or swapped out, does not prolong its commands' lives. Elsewhere
// this process keeps it, as well as it runs.
//
// It is safe for concurrent use.
type Leash struct {
	mu    sync.Mutex
	until time.Duration
	tied  map[*tie]struct{}
}

// A tie is a command, or a part of one, that wants to know of moves.
type tie struct{ moved func(until time.Duration) }

// NewLeash returns a leash that is over at a moment of Clock.
func NewLeash(until time.Duration) *Leash {
	return &Leash{until: until, tied: make(map[*tie]struct{})}
}

// Move moves the moment. What has begun to end by then still does.
func (l *Leash) Move(until time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until = until
	for t := range l.tied {
		t.moved(until)
	}
}

// Until is the moment, in Clock's time.
func (l *Leash) Until() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.until
}

// tie calls moved with the moment, now and whenever it moves, until untie. moved must not block.
func (l *Leash) tie(moved func(until time.Duration)) (untie func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := &tie{moved}
	l.tied[t] = struct{}{}
	moved(l.until)
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.tied, t)
	}
}

// bind returns a context that ends when the leash is over, as far as this process gets to see that.
func (l *Leash) bind(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	var timer *time.Timer
	timer = time.AfterFunc(time.Hour, func() {
		// A timer does not count while the machine is suspended, and Clock may.
		if left := l.Until() - Clock(); left > 0 {
			timer.Reset(left)
			return
		}
		cancel(ErrLeash)
	})
	untie := l.tie(func(until time.Duration) { timer.Reset(max(0, until-Clock())) })
	return ctx, func() {
		untie()
		timer.Stop()
		cancel(nil)
	}
}
