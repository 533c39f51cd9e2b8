package exec

import (
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
	kick   chan struct{} // capacity 1: some worker is busy again
	stop   chan struct{}
	asleep bool
}

// watch is the watchdog's goroutine.
func (e *Engine) watch() {
	defer e.stacks.wg.Done()
	timer := time.NewTimer(watchInterval)
	defer timer.Stop()
	var last cpuSample
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
		if busy {
			timer.Reset(watchInterval)
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
func (e *Engine) lookAround(last *cpuSample) bool {
	now := e.now()
	inside := 0 // workers whose tasks should be using this process's CPU time
	busy := false
	for _, w := range e.workers {
		if w.job == nil || w.turn.Job == nil {
			continue
		}
		busy = true
		if !w.job.external {
			inside++
		}
		if over := now - w.deadline; over > 0 {
			e.chargeOverrun(w, now)
		}
	}
	e.substitute(last, now, inside)
	return busy
}

// chargeOverrun makes the job of w pay for what it has used beyond its turn,
// and asks the task to come to an end if it looks.
func (e *Engine) chargeOverrun(w *worker, now int64) {
	w.overdue.Store(true)
	used := time.Duration((now - w.start) * max(1, w.cores))
	if more := used - w.turn.Paid(); more > 0 {
		e.queue.TopUp(&w.turn, more)
	}
}

// A cpuSample is a reading of the process's CPU time.
type cpuSample struct {
	at  int64
	cpu time.Duration
	ok  bool
}

// substitute compares the CPU time of the process with the workers that claim
// to be busy. Where cores idle though work is queued, tasks are blocking without
// having said so: substitutes take over. Where there are more running than
// cores, substitutes leave as their turns end.
func (e *Engine) substitute(last *cpuSample, now int64, inside int) {
	cpu, ok := e.cpuTime()
	before := *last
	*last = cpuSample{at: now, cpu: cpu, ok: ok}
	if !ok || !before.ok || now <= before.at {
		return
	}
	used := float64(cpu-before.cpu) / float64(now-before.at)
	idle := float64(min(inside, e.target)) - used
	switch {
	case e.closed:
	case idle >= 0.5 && e.lot.Idle() == 0 && !e.queue.Empty() && e.extra < maxExtra:
		more := min(int(idle+0.5), maxExtra-e.extra)
		e.extra += more
		for range more {
			e.hire()
		}
		e.log.Debug("tasks block without saying so: adding substitutes", "added", more, "substitutes", e.extra)
	case e.extra > 0 && (idle < 0.25 || e.queue.Empty()):
		e.extra -= max(1, e.extra/8)
		e.dismissSleepers()
	}
}
