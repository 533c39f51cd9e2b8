package exec

import (
	"math"
	"time"
)

// Commands are not preempted: a core that runs one is taken until it ends. So
// that a job whose turn it is does not wait for hours behind another job's
// commands, a job that got no core for entitledAfter though it was entitled to one
// may start its share beyond the number of cores; the kernel then divides
// the CPU, as the cgroup weights or nice values of the commands say.
const entitledAfter = time.Second

// entitledEvery is how often the watchdog looks for such jobs. It walks all
// jobs, so not at every look.
const entitledEvery = 100 * time.Millisecond

// entitlements is guarded by Engine.mu.
type entitlements struct {
	entitled   int   // workers beyond the cores that serve jobs entitled to them
	lookedWhen int64 // engine time of the last look
}

// owed returns how many more workers j is entitled to beyond the number of
// cores: as many as make its part of all that is running what its share says, and
// no more than there are cores. The caller holds e.mu.
func (e *Engine) owed(j *Job) int {
	if !j.external || !j.fair.Queued() || !j.present.Any() {
		return 0
	}
	share, has := j.fair.Share(), j.fair.TurnsOut()
	others := e.queue.TurnsOut() - has
	if share >= 1 || others == 0 {
		return 0
	}
	want := int(math.Ceil(share/(1-share)*float64(others) - 1e-9))
	return max(0, min(want, e.target)-has)
}

// lookForEntitled hires workers for jobs that have waited too long for their
// share. The caller holds e.mu.
func (e *Engine) lookForEntitled(now int64) {
	if now-e.lookedWhen < int64(entitledEvery) {
		return
	}
	e.lookedWhen = now
	for j := range e.jobs {
		owed := 0
		if e.lot.Idle() == 0 && e.resv == nil {
			owed = e.owed(j)
		}
		switch {
		case owed == 0:
			j.owedSince = 0
		case j.owedSince == 0:
			j.owedSince = now
		case now-j.owedSince >= int64(entitledAfter):
			j.owedSince = 0
			e.log.Debug("a job was kept from its share by commands of others", "job", j.name, "workers", owed)
			for range owed {
				e.entitled++
				e.hire().entitled = true
			}
		}
	}
}

// serveEntitled takes a turn for w, which was hired for jobs that are owed a
// worker, on the one that is owed most, or reports that there is none any more. The
// caller holds e.mu.
func (e *Engine) serveEntitled(w *worker) bool {
	var most *Job
	for j := range e.jobs {
		if n := e.owed(j); n > 0 && (most == nil || n > e.owed(most)) {
			most = j
		}
	}
	if most == nil {
		return false
	}
	e.begin(w, e.queue.TakeFor(most.fair))
	return true
}
