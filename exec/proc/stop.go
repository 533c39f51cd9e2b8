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
	// a millisecond, unless a process is stuck in the kernel, or its parent (in a
	// container: an init that does not look) leaves it a zombie, which is in nobody's way.
	killSettle = time.Second

	// groupPoll is how often we look whether a stopped group is empty, once its
	// leader has ended: there is no event for that.
	groupPoll = 5 * time.Millisecond
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
	gone  chan struct{} // closed by stop: nothing is left of the group
	quit  func() bool   // of context.AfterFunc
}

// stopWith ties p to ctx. The caller must call finish when p has ended.
func stopWith(ctx context.Context, p process, grace time.Duration) *stopper {
	if ctx.Done() == nil {
		return nil
	}
	s := &stopper{p: p, grace: grace, ended: make(chan struct{}), gone: make(chan struct{})}
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
	if !s.emptyWithin(s.grace) {
		s.p.signal(syscall.SIGKILL)
		s.emptyWithin(killSettle)
	}
}

// emptyWithin waits until the command has ended and its group is empty, and
// reports whether that was so within d.
func (s *stopper) emptyWithin(d time.Duration) bool {
	late := time.NewTimer(d)
	defer late.Stop()
	select {
	case <-s.ended:
	case <-late.C:
		return false
	}
	tick := time.NewTicker(groupPoll)
	defer tick.Stop()
	for s.p.signal(0) {
		select {
		case <-tick.C:
		case <-late.C:
			return false
		}
	}
	return true
}
