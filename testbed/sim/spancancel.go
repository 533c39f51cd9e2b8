package sim

import (
	"time"

	"github.com/filchsched/filch/steal/core"
)

// This file is about what worlds do beside the rest, from a sequence of random numbers of their own: half of them cancel
// parts of jobs (of worlds of a theme a quarter), have runs that leave their cores idle (slack.go), and jobs that runs wait for.

// more draws these things.
func (w *world) more(themed bool) {
	one := 2
	if themed {
		one = 4
	}
	if w.extra.IntN(one) != 0 {
		return
	}
	w.lends = true
	for range w.extra.IntN(5) {
		w.in(w.soon(time.Second, faultTime), w.cancelSpan)
	}
	for range w.extra.IntN(60) {
		w.in(w.soon(0, faultTime), w.slacken)
	}
}

// soon is between, from the other sequence.
func (w *world) soon(lo, hi time.Duration) time.Duration {
	return lo + time.Duration(w.extra.Int64N(int64(hi-lo)+1))
}

// cancelSpan cancels part of a job, sometimes twice, sometimes of what is not there.
func (w *world) cancelSpan() {
	if len(w.check.order) == 0 {
		return
	}
	f := w.check.order[w.extra.IntN(len(w.check.order))]
	if !f.home.alive || f.home.frozen || f.lost() || !f.home.core.Knows(f.id) {
		return
	}
	n := uint64(len(f.tasks))
	s := core.Span{Lo: w.extra.Uint64N(n), Hi: w.extra.Uint64N(n + 3)}
	w.logf("%v[%d-%d) is cancelled", f.id, s.Lo, s.Hi)
	for range 1 + w.extra.IntN(2) {
		f.home.step(core.CancelTasks{Job: f.id, Span: s})
	}
	for i := s.Lo; i < min(s.Hi, n); i++ {
		if f.tasks[i].committed == 0 {
			w.check.blame(f, i, "span: task %d of %v has no outcome, though its cancel was accepted", i, f.id)
		}
		f.tasks[i].givenUp = true
	}
}

// unwanted is called when home lets tasks start somewhere.
func (c *checker) unwanted(f *fate, s core.Span, where string) {
	for i := s.Lo; i < s.Hi; i++ {
		if f.tasks[i].givenUp && !f.lost() {
			c.blame(f, i, "span: task %d of %v %s after the cancel of it was accepted", i, f.id, where)
		}
	}
}
