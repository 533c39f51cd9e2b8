package steal

import (
	"slices"

	"github.com/filchsched/filch/steal/core"
	"github.com/filchsched/filch/steal/wire"
)

// A fetching is a question for bodies that was not answered yet.
type fetching struct {
	n    uint64
	from core.PeerID
	job  core.JobID
	span core.Span
	more bool // asked ahead of need: what the answer leaves out is asked for, too
}

// fetch asks a peer for bodies, unless they are asked for already.
func (l *loop) fetch(from core.PeerID, job core.JobID, s core.Span, header bool) {
	l.ask(from, job, s, header, false)
}

func (l *loop) ask(from core.PeerID, job core.JobID, s core.Span, header, more bool) {
	for _, f := range l.fetching {
		if f.from == from && f.job == job && f.span.Lo <= s.Lo && s.Lo < f.span.Hi {
			return
		}
	}
	l.fetches++
	f := &fetching{l.fetches, from, job, s, more}
	l.fetching = append(l.fetching, f)
	l.counts.fetches.Add(1)
	l.feed(feedKey{from, feedFetch}, parcel{fetch: &wire.Fetch{N: f.n, Job: job, Span: s, Header: header}})
	l.later(fetchPatience, func(l *loop) { l.fetched(f.n, "no answer") })
}

// prefetch asks for what is going to be needed of a grant.
func (l *loop) prefetch(from core.PeerID, m *core.Grant) {
	if l.config.Executor == nil {
		return
	}
	for k := range m.Parts {
		p := &m.Parts[k]
		if p.Job.Home == l.config.Core.ID || !l.config.Executor.Wants(p.Job) {
			continue
		}
		if missing, noHeader := l.bodies.lacks(bodyKey{from, p.Job}, p.Span); missing.Len() > 0 && l.bodies.room() {
			l.ask(from, p.Job, missing, noHeader, true)
		}
	}
}

// fetched is the end of a question; an empty why is success.
func (l *loop) fetched(n uint64, why string) {
	k := slices.IndexFunc(l.fetching, func(f *fetching) bool { return f.n == n })
	if k < 0 {
		return
	}
	f := l.fetching[k]
	l.fetching = slices.Delete(l.fetching, k, k+1)
	defer l.endRelays(f)
	missing, noHeader := l.bodies.lacks(bodyKey{f.from, f.job}, f.span)
	progress := missing.Lo > f.span.Lo
	if why != "" || !progress && missing.Len() > 0 {
		l.counts.fetchFailed.Add(1)
		if why == "" {
			why = "there is no room for what its tasks are"
		}
		l.fetchFailed(f, why)
		return
	}
	l.startWaiting(f.from, f.job)
	if f.more && missing.Len() > 0 && l.bodies.room() {
		l.ask(f.from, f.job, missing, noHeader, true)
	}
}

// startWaiting starts the runs that waited for what has come.
func (l *loop) startWaiting(from core.PeerID, job core.JobID) {
	l.waiting = slices.DeleteFunc(l.waiting, func(w *waitingRun) bool {
		return w.from == from && w.Piece.Job == job && l.tryStart(w)
	})
}

// fetchFailed has the runs that wait for an answer try again later, then ask the home, then give up.
func (l *loop) fetchFailed(f *fetching, why string) {
	wait := false
	l.waiting = slices.DeleteFunc(l.waiting, func(w *waitingRun) bool {
		if w.from != f.from || w.Piece.Job != f.job {
			return false
		}
		if w.tries++; w.tries >= fetchTries {
			if w.from == w.Piece.Job.Home {
				l.cannot(w.Piece, "what the task is cannot be had: "+why)
				return true
			}
			w.from, w.tries = w.Piece.Job.Home, 0
			return l.tryStart(w)
		}
		wait = true
		return false
	})
	if wait {
		l.later(fetchAgain, func(l *loop) { l.startWaiting(f.from, f.job) })
	}
	l.drain()
}

// lacks is the part of a span, from its first missing task on, whose bodies are not here.
func (b *bodies) lacks(k bodyKey, s core.Span) (missing core.Span, noHeader bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	j := b.of[k]
	if j == nil {
		return s, true
	}
	for ; s.Lo < s.Hi; s.Lo++ {
		if _, ok := j.data[s.Lo]; !ok {
			break
		}
	}
	return s, !j.hasHeader
}

// room tells whether there is room for bodies that are not needed at once.
func (b *bodies) room() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.size < maxBodies/2
}
