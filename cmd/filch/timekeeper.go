package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/filchsched/filch/cmd/filch/parallel"
)

// A timedOut is the cause of an attempt that ran too long.
type timedOut struct{ limit time.Duration }

func (t timedOut) Error() string {
	return fmt.Sprintf("ended after %v, its time-out", t.limit.Round(time.Millisecond))
}

// A timekeeper ends attempts that run too long. If the limit is a part of the
// median it is not known at first, and changes as commands end; the limit then holds
// for those that run already, too. It is safe for concurrent use.
type timekeeper struct {
	timeout parallel.Timeout

	mu      sync.Mutex
	median  parallel.Median
	armed   time.Duration // the limit that timers were set for last
	running map[*timed]struct{}
}

// A timed is an attempt that runs.
type timed struct {
	k      *timekeeper
	begun  time.Time
	cancel context.CancelCauseFunc
	timer  *time.Timer // nil while there is no limit
}

func newTimekeeper(t parallel.Timeout) *timekeeper {
	return &timekeeper{timeout: t, running: map[*timed]struct{}{}}
}

// begin starts the clock of an attempt. The context ends with a timedOut when its time is
// up. end must be called when the attempt has ended; it says whether that was by
// itself, so that its time counts.
func (k *timekeeper) begin(parent context.Context) (ctx context.Context, end func(byItself bool)) {
	if k.timeout == (parallel.Timeout{}) {
		return parent, func(bool) {}
	}
	ctx, cancel := context.WithCancelCause(parent)
	t := &timed{k: k, begun: time.Now(), cancel: cancel}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.running[t] = struct{}{}
	t.arm(k.timeout.Limit(&k.median))
	return ctx, t.end
}

func (t *timed) end(byItself bool) {
	k := t.k
	took := time.Since(t.begun)
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.running, t)
	if t.timer != nil {
		t.timer.Stop()
	}
	t.cancel(nil)
	if k.timeout.Percent == 0 || !byItself {
		return
	}
	k.median.Add(took)
	limit := k.timeout.Limit(&k.median)
	// A timer that comes early is set again; only those that would come late need care.
	const worthIt = 0.9
	if limit != 0 && (k.armed == 0 || float64(limit) < float64(k.armed)*worthIt) {
		k.armed = limit
		for r := range k.running {
			r.arm(limit)
		}
	}
}

// limit is how long an attempt may take that begins now; 0 is without limit.
func (k *timekeeper) limit() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.timeout.Limit(&k.median)
}

// observe counts an attempt that ended by itself elsewhere.
func (k *timekeeper) observe(took time.Duration) {
	if k.timeout.Percent == 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.median.Add(took)
}

// arm sets the timer of t. The caller holds k.mu.
func (t *timed) arm(limit time.Duration) {
	if limit == 0 {
		return
	}
	left := max(0, limit-time.Since(t.begun))
	if t.timer == nil {
		t.timer = time.AfterFunc(left, t.expire)
	} else {
		t.timer.Reset(left)
	}
}

// expire ends the attempt, unless the limit has grown since the timer was set.
func (t *timed) expire() {
	t.k.mu.Lock()
	defer t.k.mu.Unlock()
	limit := t.k.timeout.Limit(&t.k.median)
	if time.Since(t.begun) < limit {
		t.arm(limit)
		return
	}
	t.cancel(timedOut{limit})
}
