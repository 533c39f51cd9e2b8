package proc

import (
	"context"
	"sync"
	"syscall"
	"time"
)

const (
	// grace is how long a command has between TERM and KILL. It is well below
	// the 3 s by which a holder's lease ends before its grantor's, so that a
	// command which ignores TERM is dead before it can be started elsewhere.
	grace = 2 * time.Second

	// killSettle is how long we wait for the group to vanish after KILL. It takes
	// a millisecond, unless a process is stuck in the kernel.
	killSettle = time.Second

	// There is no event for a group becoming empty, so we look, less and less often.
	groupLookFirst = time.Millisecond
	groupLookMax   = 50 * time.Millisecond
)

// A stopper ends a command when its context is cancelled: TERM to the group, and
// KILL after the grace period to what is left of it. Processes of the group that outlive
// the command have the same grace. Its stop runs in a goroutine of context.AfterFunc.
type stopper struct {
	p     process
	grace time.Duration

	mu      sync.Mutex // guards started against over: exactly one of them is first
	started bool       // by stop: TERM was or will be sent
	over    bool       // by finish: the command had ended before

	ended chan struct{} // closed by finish: the command itself has ended
	gone  chan struct{} // closed by stop: nothing is left of the group, or its time is over
	quit  func() bool   // of context.AfterFunc
}

// stopWith ties p to ctx, and closes gone when it has stopped p. The caller must call finish when p has ended.
func stopWith(ctx context.Context, p process, grace time.Duration, gone chan struct{}) *stopper {
	if ctx.Done() == nil {
		return nil
	}
	s := &stopper{p: p, grace: grace, ended: make(chan struct{}), gone: gone}
	s.quit = context.AfterFunc(ctx, s.stop)
	return s
}

// finish says that the command has ended. It reports whether that was after we
// began to stop it, and in that case waits until the group is gone. Afterwards
// nothing signals the process any more.
func (s *stopper) finish() bool {
	if s == nil {
		return false
	}
	s.quit()
	s.mu.Lock()
	s.over = true
	started := s.started
	s.mu.Unlock()
	if started {
		close(s.ended)
		<-s.gone
	}
	return started
}

func (s *stopper) stop() {
	s.mu.Lock()
	if s.over {
		s.mu.Unlock()
		return
	}
	s.started = true
	s.mu.Unlock()
	defer close(s.gone)

	s.p.signal(syscall.SIGTERM)
	s.p.signal(sigCONT) // a stopped process acts on TERM only when it goes on
	s.emptyWithin(s.grace)
	if s.p.signal(syscall.SIGKILL) {
		s.emptyWithin(killSettle)
	}
}

// emptyWithin waits until the command has ended and nothing of its group runs
// any more, or until d has passed.
func (s *stopper) emptyWithin(d time.Duration) {
	late := time.NewTimer(d)
	defer late.Stop()
	select {
	case <-s.ended:
	case <-late.C:
		return
	}
	look := groupLookFirst
	for s.p.lives() {
		select {
		case <-time.After(look):
			look = min(2*look, groupLookMax)
		case <-late.C:
			return
		}
	}
}
