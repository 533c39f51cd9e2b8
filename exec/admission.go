package exec

import (
	"slices"

	"github.com/filchsched/filch/exec/task"
)

// admission is what tasks hold beyond one core. All fields are guarded by
// Engine.mu.
//
// One reservation at a time collects what its task needs, worker by worker as
// their turns end, and memory as it is released. Two tasks that each hold half of
// what they need, and wait for the other half, cannot exist. Nor does one
// collect while those that run leave too few workers: they may themselves be
// waiting for one, after a join or the end of a turn.
type admission struct {
	memory int64 // that tasks may hold together; 0: no bound
	held   int64 // that running tasks hold
	resv   *reservation
	wide   []*reservation // that run, with donors
	// stalled are jobs whose next task waits for the reservation or for
	// memory. Their inboxes offer no pieces until either changes.
	stalled []*Job
}

// A reservation is one task that waits for what it needs.
type reservation struct {
	job    *Job
	piece  piece // one task, a unit under way
	needs  task.Resources
	donors []*worker // workers that wait for it; while it runs they rest, each with a turn that pays for its core
	since  int64     // while the task is suspended: what its donors will have to pay from
}

// runAdmitted runs a piece of one task that has needs, now or later. It
// reports whether the task found its place.
func (c *Ctx) runAdmitted(p piece) bool {
	switch c.e.admit(c.job.Load(), p) {
	case admitted:
		defer c.e.release(nil, p.chunk.needs)
		c.runUnit(p)
		return true
	case reserved:
		return true // the unit goes on without this stack
	case dropped:
		c.runUnit(p) // which drops it
		return true
	default:
		c.job.Load().stall(p)
		c.job.Load().unitDone()
		return false
	}
}

type verdict int

const (
	admitted verdict = iota // holds what it needs
	reserved                // has become the reservation
	refused                 // somebody else's reservation comes first
	dropped                 // its job was cancelled
)

// admit decides about a task with needs that a worker has taken.
func (e *Engine) admit(j *Job, p piece) verdict {
	e.mu.Lock()
	defer e.mu.Unlock()
	needs := p.chunk.needs
	if j.cancelled() {
		return dropped
	}
	if e.resv == nil && needs.CoresOrOne() == 1 && e.fits(needs) {
		e.held += needs.Memory
		return admitted
	}
	if e.resv != nil {
		e.stalled = append(e.stalled, j)
		return refused
	}
	needs.Cores = min(needs.CoresOrOne(), max(1, e.target))
	e.resv = &reservation{job: j, piece: p, needs: needs}
	e.summon()
	return reserved
}

func (e *Engine) fits(n task.Resources) bool {
	return n.Memory == 0 || e.memory == 0 || e.held+n.Memory <= e.memory
}

// stall puts the task of p back, and lets the inbox offer no pieces until
// something is released. The job stays in line for what it has begun.
func (j *Job) stall(p piece) {
	j.in.mu.Lock()
	j.e.mu.Lock()
	j.in.stalled = slices.Contains(j.e.stalled, j) // unless it was released meanwhile
	j.e.mu.Unlock()
	j.left()
	j.in.mu.Unlock()
	j.putBack(p)
}

// unstall lets the inbox offer its pieces again.
func (j *Job) unstall() {
	j.in.mu.Lock()
	j.in.stalled = false
	announce := j.arrived()
	j.in.mu.Unlock()
	if announce {
		j.e.announce(j)
	}
}

// wantsDonor reports whether the reservation lacks workers and nothing else. The
// caller holds e.mu.
func (e *Engine) wantsDonor() bool {
	return e.resv != nil && e.fits(e.resv.needs) && (e.resv.needs.Cores == 1 || e.resv.needs.Cores+e.wideCores() <= e.target)
}

// wideCores is how many workers the running wide tasks have between them.
func (e *Engine) wideCores() (n int) {
	for _, r := range e.wide {
		n += 1 + len(r.donors)
	}
	return n
}

// donate gives w to the reservation, if there is one that its memory is there
// for. The last worker that it needs takes a turn and runs it; the others rest
// until it has run. It reports whether the caller should look again; w may
// have a turn then. The caller holds e.mu.
func (e *Engine) donate(w *worker) bool {
	if !e.wantsDonor() {
		return false
	}
	e.endSearch(w)
	r := e.resv
	if len(r.donors)+1 < r.needs.Cores {
		r.donors = append(r.donors, w)
		w.resting = true
		e.mu.Unlock()
		<-w.wake
		e.mu.Lock()
		w.resting = false
		e.settle(w, true)
		return true
	}
	e.resv = nil
	e.held += r.needs.Memory
	e.begin(w, e.queue.TakeFor(r.job.fair))
	w.assigned = r
	if len(r.donors) > 0 {
		e.wide = append(e.wide, r)
	}
	e.beginDonors(r, e.now())
	stalled := e.released()
	e.mu.Unlock()
	unstall(stalled)
	e.mu.Lock()
	return true
}

// runReserved runs the task of a reservation that is complete.
func (c *Ctx) runReserved(r *reservation) {
	defer c.e.release(r, r.needs)
	defer func() { c.wide = nil }()
	c.wide = r
	c.runUnit(r.piece)
}

// beginDonors lets the job of r pay for the donors from since on. The caller
// holds e.mu.
func (e *Engine) beginDonors(r *reservation, since int64) {
	for _, d := range r.donors {
		e.begin(d, e.queue.TakeFor(r.job.fair))
		d.start = since
	}
}

// suspendWide is called when the stack of a wide task gives its worker away. Its
// donors pay later: charged all the while, the job might never have its turn,
// and the task never end.
func (e *Engine) suspendWide(r *reservation) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, d := range r.donors {
		e.settle(d, true)
	}
	r.since = e.now()
}

// resumeWide is called when the stack of a wide task has a worker again.
func (e *Engine) resumeWide(r *reservation) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.beginDonors(r, r.since)
}

// release gives back what a task held. r is nil if it was not reserved.
func (e *Engine) release(r *reservation, n task.Resources) {
	e.mu.Lock()
	e.held -= n.Memory
	if r != nil {
		e.wide = slices.DeleteFunc(e.wide, func(x *reservation) bool { return x == r })
		r.releaseDonors(0)
	}
	stalled := e.released()
	e.summon()
	e.mu.Unlock()
	unstall(stalled)
}

// releaseDonors lets all donors go but keep of them. The caller holds e.mu.
func (r *reservation) releaseDonors(keep int) {
	for _, w := range r.donors[keep:] {
		w.wake <- struct{}{}
	}
	r.donors = r.donors[:keep]
}

// released returns the jobs that waited for what has changed; the caller passes
// them to unstall once it has released e.mu, which it holds.
func (e *Engine) released() []*Job {
	stalled := e.stalled
	e.stalled = nil
	return stalled
}

func unstall(jobs []*Job) {
	for _, j := range jobs {
		j.unstall()
	}
}

// summon wakes as many sleepers as the reservation lacks. The caller holds
// e.mu.
func (e *Engine) summon() {
	if !e.wantsDonor() {
		return
	}
	for range e.resv.needs.Cores - len(e.resv.donors) {
		w, ok := e.lot.Pop()
		if !ok {
			break
		}
		e.tellIdle()
		w.wake <- struct{}{}
	}
	e.events.Add(1) // searchers look as well
}

// shrinkReservations is called when there may be fewer workers than there were:
// tasks that hold or need more cores than are left make do with those. The caller
// holds e.mu.
func (e *Engine) shrinkReservations() {
	for _, r := range e.wide {
		excess := max(0, e.wideCores()-e.target)
		r.releaseDonors(max(0, len(r.donors)-excess))
	}
	if e.resv != nil {
		e.resv.needs.Cores = min(e.resv.needs.Cores, max(1, e.target))
		e.resv.releaseDonors(0) // they come back as far as they are needed
		e.summon()
	}
}

// dropReserved drops the reserved task of a job that was cancelled.
func (e *Engine) dropReserved(j *Job) {
	e.mu.Lock()
	r := e.resv
	if r == nil || r.job != j {
		e.mu.Unlock()
		return
	}
	e.resv = nil
	r.releaseDonors(0)
	stalled := e.released()
	e.mu.Unlock()
	unstall(stalled)
	r.piece.chunk.drop(r.piece)
	j.unitDone()
}
