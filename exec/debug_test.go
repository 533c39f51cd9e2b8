package exec

import (
	"fmt"
	"strings"
)

// describe prints the state of an engine for a failing test.
func (e *Engine) describe() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "target %d extra %d workers %d idle %d searching %d hungry %d queued %d held %d stalled %d\n", e.target, e.extra, len(e.workers), e.lot.Idle(), e.lot.Searching(), e.hungry.Load(), e.queue.Queued(), e.held, len(e.stalled))
	if r := e.resv; r != nil {
		fmt.Fprintf(&b, "reservation needs %v, %d donors\n", r.needs, len(r.donors))
	}
	for _, w := range e.workers {
		fmt.Fprintf(&b, "worker %d job %v resting %v searching %v assigned %v wake %d\n", w.id, w.job != nil, w.resting, w.searching, w.assigned != nil, len(w.wake))
	}
	for j := range e.jobs {
		fmt.Fprintf(&b, "job %q want %v queued %d units %d present %v\n", j.name, j.fair.Want(), j.in.queued, j.units.Load(), j.present.Any())
	}
	return b.String()
}
