package exec

import (
	"errors"
	"time"
)

// The watchdog looks at the engine this often while any worker is busy, and
// sleeps while none is.
const watchInterval = 10 * time.Millisecond

// maxExtra bounds the substitute workers: each is a goroutine that waits with
// whatever its task waits for.
const maxExtra = 1000

// watchdog is the state of the engine's one background goroutine. Its fields
// other than the channels are guarded by Engine.mu.
type watchdog struct {
	kick    chan struct{} // capacity 1: some worker is busy again
	stop    chan struct{}
	follows bool // resizes by what the machine allows; constant
	asleep  bool
	// strandedAt is 1 + the count of announcements at which work was seen
	// stranded by the last look, 0 if it was not.
	strandedAt uint64
	broken     bool // an invariant was reported
}

// watch is the watchdog's goroutine.
func (e *Engine) watch() {
	defer e.stacks.wg.Done()
	timer := time.NewTimer(watchInterval)
	defer timer.Stop()
	var last cpuSample
	looked := time.Now()
	for {
		select {
		case <-e.watchdog.stop:
			return
		case <-e.watchdog.kick:
			last = cpuSample{}
			timer.Reset(watchInterval)
			continue
		case <-timer.C:
		}
		e.mu.Lock()
		busy := e.lookAround(&last)
		e.watchdog.asleep = !busy
		e.mu.Unlock()
		if !busy {
			continue
		}
		timer.Reset(watchInterval)
		if e.follows && time.Since(looked) > followInterval {
			looked = time.Now()
			e.follow()
		}
	}
}

// wakeWatchdog is called under e.mu when a worker begins a turn.
func (e *Engine) wakeWatchdog() {
	if e.watchdog.asleep {
		e.watchdog.asleep = false
		select {
		case e.watchdog.kick <- struct{}{}:
		default:
		}
	}
}

// lookAround charges overruns, calls workers whose turns are over, and adds or
// takes away substitutes. It reports whether any worker is busy. The caller
// holds e.mu.
func (e *Engine) lookAround(last *cpuSample) (busy bool) {
	now := e.now()
	inside := 0 // workers whose tasks should be using this process's CPU time
	for _, w := range e.workers {
		if w.job == nil || w.turn.Job == nil {
			continue
		}
		busy = true
		if !w.job.external && !w.resting {
			inside++
		}
		if now > w.deadline {
			e.chargeOverrun(w, now)
		}
	}
	e.assertInvariants()
	if !busy {
		e.setExtra(0)
		return false
	}
	e.substitute(last, now, inside)
	e.lookForEntitled(now)
	return true
}

// assertInvariants reports a broken invariant, once, and mends what can be
// mended: work that nobody would look for must not wait for ever, whatever the
// cause. The caller holds e.mu.
func (e *Engine) assertInvariants() {
	err := e.invariant()
	stranded := e.stranded()
	if stranded && e.strandedAt == e.events.Load()+1 {
		err = errStranded
		e.wakeOne()
	}
	e.strandedAt = 0
	if stranded {
		e.strandedAt = e.events.Load() + 1 // 0 is never
	}
	if err != nil && !e.broken {
		e.broken = true
		e.log.Error("an invariant of the engine is broken; please report this", "err", err)
	}
}

var errStranded = errors.New("exec: work is queued and workers sleep, but nobody searches")

// chargeOverrun makes the job of w pay for what it has used beyond its turn,
// and asks the task to come to an end if it looks.
func (e *Engine) chargeOverrun(w *worker, now int64) {
	w.overdue.Store(true)
	if more := time.Duration(now-w.start) - w.turn.Paid(); more > 0 {
		e.queue.TopUp(&w.turn, more)
	}
}

// A cpuSample is a reading of the process's CPU time.
type cpuSample struct {
	at  int64 // engine time; 0: none yet
	cpu time.Duration
}

// substitute compares the CPU time of the process with the workers that claim
// to be busy. Where cores idle though work is queued, tasks are blocking without
// having said so, and substitutes take over. Where the cores are busy or nothing is
// queued, substitutes leave as their turns end.
//
// Little CPU time alone proves nothing: other processes may have had the cores. So
// goroutines that run or could run count as well: whoever waits for a core is
// not blocking.
func (e *Engine) substitute(last *cpuSample, now int64, inside int) {
	cpu, runnable, ok := e.load()
	before := *last
	*last = cpuSample{at: now, cpu: cpu}
	if !ok || before.at == 0 || now <= before.at || e.closed {
		return
	}
	claimed := min(inside, e.target)
	used := float64(cpu-before.cpu) / float64(now-before.at)
	idle := min(float64(claimed)-used, float64(claimed-runnable))
	switch {
	case !e.backlog():
		e.setExtra(e.extra * 7 / 8)
	case idle >= 0.5 && e.lot.Idle() == 0:
		e.setExtra(min(e.extra+int(idle+0.5), maxExtra))
	case idle < 0.25:
		e.setExtra(e.extra * 7 / 8)
	}
}

// setExtra sets the number of substitutes. The caller holds e.mu.
func (e *Engine) setExtra(n int) {
	if n == e.extra {
		return
	}
	e.log.Debug("tasks block without saying so", "substitutes", n, "before", e.extra)
	e.extra = n
	e.setTarget(e.target)
}

// backlog reports whether a job that stands in line has work. Jobs whose last
// work was taken without anybody having looked again leave the line here. The
// caller holds e.mu.
func (e *Engine) backlog() bool {
	for j := e.queue.Least(); j != nil; j = e.queue.Least() {
		if j.Owner.(*Job).present.Any() {
			return true
		}
		j.SetWant(false)
	}
	return false
}
