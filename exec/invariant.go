package exec

import "fmt"

// Invariants that cost nothing where they are checked are checked where they
// matter and panic: a slot has one owner (Ctx.resume), what is paid ahead belongs to
// turns that are out (fair.Queue). The rest is checked here, by the watchdog in
// production and by tests at every step.

// invariant returns what is wrong with the state of the engine, or nil. The
// caller holds e.mu.
func (e *Engine) invariant() error {
	turns, searching := 0, 0
	for _, w := range e.workers {
		if w.turn.Job != nil {
			turns++
		}
		if w.searching {
			searching++
		}
	}
	switch {
	case turns != e.queue.TurnsOut():
		return fmt.Errorf("exec: %d workers have turns, but %d turns are out", turns, e.queue.TurnsOut())
	case searching != e.lot.Searching():
		return fmt.Errorf("exec: %d workers search, but %d are counted", searching, e.lot.Searching())
	case e.memory > 0 && (e.held < 0 || e.held > e.memory):
		return fmt.Errorf("exec: tasks hold %d bytes of %d", e.held, e.memory)
	}
	return nil
}

// stranded reports whether work is queued and workers sleep, but nobody
// searches. Somebody who has just marked a place may be about to announce it, so
// this is only wrong if it stays. The caller holds e.mu.
func (e *Engine) stranded() bool {
	return e.lot.Idle() > 0 && e.lot.Searching() == 0 && e.resv == nil && e.backlog()
}
