package steal

import (
	"context"
	"time"

	"github.com/filchsched/filch/steal/core"
	"github.com/filchsched/filch/steal/wire"
)

// A loop is what the one goroutine that owns the state machine has; nobody else touches it.
type loop struct {
	*Driver
	core *core.Core
	now  time.Duration // of this step
	enc  *wire.Encoder

	ups, downs map[core.PeerID]*channel // where we hold; where we grant
	written    []*channel               // that have something to write
	quick      bool                     // runs have begun that may be over at once
	usual      time.Duration            // what a task of the last run took
	feeds      map[feedKey]*feed        // our data streams
	dataSeq    uint64                   // of frames that came on data streams

	refs      uint64
	submitted map[uint64]chan core.JobID
	waiting   []*waitingRun // runs whose bodies are not there yet
	relays    []*relay
	fetching  []*fetching
	fetches   uint64
	soon      []core.Event // to step after the effects of the present step

	sweeping bool                    // a sweep is due
	idle     map[core.JobID]struct{} // that had bodies and no origin at the last sweep
	arena    []byte                  // of describe
	cuts     []int                   // of describe
	data     [][]byte                // of describe
	origins  map[core.JobID][]origin
	headers  map[core.JobID][]byte // of our own jobs
	timers   map[*time.Timer]struct{}
}

func newLoop(d *Driver) *loop {
	l := &loop{Driver: d, enc: wire.NewEncoder(), ups: make(map[core.PeerID]*channel), downs: make(map[core.PeerID]*channel),
		feeds: make(map[feedKey]*feed), submitted: make(map[uint64]chan core.JobID), origins: make(map[core.JobID][]origin),
		headers: make(map[core.JobID][]byte), timers: make(map[*time.Timer]struct{})}
	l.now = d.config.Clock()
	l.core = core.New(d.config.Core, l.now)
	return l
}

// run deals with mail until ctx ends. What has come is dealt with before a timer: a process
// that was frozen reads what its peers had to say before it judges them.
func (l *loop) run(ctx context.Context) {
	alarm := time.NewTimer(time.Hour)
	defer alarm.Stop()
	l.step(core.Tick{})
	l.flush()
	var spare, batch []mail
	for late := true; ctx.Err() == nil; {
		if late || l.mail.some() {
			// Before the mail is taken: what comes while a process is frozen is dealt with before its timers.
			l.now = max(l.now, l.config.Clock())
			batch, spare = l.mail.take(spare), nil
		} // else the time was read a few mails ago, and to read it is a system call
		late = len(batch) > clockEvery
		for k := range batch {
			l.deal(&batch[k], k)
		}
		due, ok := l.core.Next()
		if ok && due <= l.now && (len(batch) == 0 || l.now-due > starving) {
			if l.now-due > 100*time.Millisecond {
				l.counts.lateSteps.Add(1)
			}
			l.step(core.Tick{})
			l.flush()
		} else if len(batch) > 0 {
			if !l.letRun() {
				l.flush()
			}
		} else if wait := l.wait(due, ok); wait <= 0 {
			l.flush()
		} else {
			alarm.Reset(wait)
			select {
			case <-l.mail.wake:
			case <-alarm.C:
			case <-ctx.Done():
			}
			late = true
		}
		if batch != nil && cap(batch) <= 64<<10 {
			clear(batch)
			spare = batch[:0]
		}
		batch = nil
	}
}

// wait is how long there is nothing to do but for mail. due is when the core has something, if ok.
func (l *loop) wait(due time.Duration, ok bool) time.Duration {
	if !ok {
		due = l.now + time.Hour
	}
	return l.leaving(due) - l.now
}

// clockEvery is after how many mails of one batch the clock is read again.
const clockEvery = 256

func (l *loop) deal(m *mail, k int) {
	if k%clockEvery == clockEvery-1 {
		l.now = max(l.now, l.config.Clock())
	}
	switch {
	case m.do != nil:
		m.do(l)
	case m.more != nil:
		if n := m.more(); n > 0 {
			l.step(core.Extend{Job: m.extend.Job, N: n})
		}
	case m.extend.N > 0:
		l.step(m.extend)
	default:
		if r, ok := m.ev.(core.Received); ok {
			l.receive(r)
		} else {
			l.step(m.ev)
		}
	}
	if m.credit != nil {
		m.credit.release(m.bytes)
	}
}

// step hands one event to the core and carries its effects out.
func (l *loop) step(ev core.Event) {
	l.counts.steps.Add(1)
	for _, e := range l.core.Step(l.now, ev) {
		l.carry(e)
	}
	l.drain()
}

// drain steps what carrying effects out has brought up: the effects of one step are the core's until
// they are carried out.
func (l *loop) drain() {
	for len(l.soon) > 0 {
		ev := l.soon[0]
		l.soon = l.soon[1:]
		l.counts.steps.Add(1)
		for _, e := range l.core.Step(l.now, ev) {
			l.carry(e)
		}
	}
	l.soon = nil
}

func (l *loop) carry(e core.Effect) {
	switch e := e.(type) {
	case core.Open:
		l.open(e)
	case core.Close:
		l.close(e)
	case core.Send:
		l.send(e)
	case core.Run:
		l.startRun(e)
	case core.Halt:
		l.halt(e.Piece)
	case core.Leash:
		if l.config.Executor != nil {
			l.config.Executor.Leash(e.Key, e.Until)
		}
	case core.Submitted:
		if got := l.submitted[e.Ref]; got != nil {
			delete(l.submitted, e.Ref)
			got <- e.Job
		}
	case core.Commit:
		l.commit(e)
	case core.JobDone:
		delete(l.headers, e.Job)
		l.config.Home.Told(e)
	case core.CancelAccepted, core.Stopped, core.Unconfirmed, core.Declined, core.Wanted:
		l.config.Home.Told(e)
	case core.Prove:
		l.prove(e)
	}
}

// receive deals with a frame: what the driver has to know of it, before and after the core.
func (l *loop) receive(r core.Received) {
	if r.Frame.Data { // streams lose and repeat nothing; two streams have no common order
		l.dataSeq++
		r.Frame.Seq = l.dataSeq
	}
	switch m := r.Frame.Msg.(type) {
	case core.Grant:
		if !r.Up {
			l.granted(r.From, &m)
			l.step(r)
			l.prefetch(r.From, &m)
			return
		}
	case core.Recorded:
		if !r.Up {
			l.step(r)
			l.recorded(m.Pieces)
			return
		}
	}
	l.step(r)
}

// later does something on the loop after a while, unless the driver ends before.
func (l *loop) later(after time.Duration, do func(*loop)) {
	var t *time.Timer
	t = time.AfterFunc(after, func() {
		l.mail.put(mail{do: func(l *loop) {
			delete(l.timers, t)
			do(l)
		}})
	})
	l.timers[t] = struct{}{}
}

// end stops timers. All streams are reset already.
func (l *loop) end() {
	for t := range l.timers {
		t.Stop()
	}
}
