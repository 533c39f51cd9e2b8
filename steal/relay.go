package steal

import (
	"slices"

	"github.com/filchsched/filch/steal/core"
)

// A relay is a peer's question for bodies that this process, which holds the tasks but does not run
// them, has to ask its own grantor first: a guest's node executes nothing of the guest's itself.
type relay struct {
	job  core.JobID
	span core.Span
	from core.PeerID
	done chan struct{}
}

// relay asks the grantor of a span for what its first tasks are, and waits for the answer or its end.
func (d *Driver) relay(job core.JobID, s core.Span) {
	r := &relay{job: job, span: s, done: make(chan struct{})}
	if !d.mail.put(mail{do: func(l *loop) { l.beginRelay(r) }}) {
		return
	}
	select {
	case <-r.done:
	case <-d.mail.done:
	}
}

func (l *loop) beginRelay(r *relay) {
	k := slices.IndexFunc(l.origins[r.job], func(o origin) bool { return o.Lo <= r.span.Lo && r.span.Lo < o.Hi })
	if k < 0 {
		close(r.done) // it is not held here any more
		return
	}
	o := l.origins[r.job][k]
	r.from = o.peer
	r.span.Hi = min(r.span.Hi, o.Hi)
	missing, noHeader := l.bodies.lacks(bodyKey{o.peer, r.job}, r.span)
	if missing.Len() == 0 {
		if !noHeader {
			close(r.done)
			return
		}
		missing = r.span
	}
	l.relays = append(l.relays, r)
	l.ask(o.peer, r.job, missing, noHeader, false)
}

// endRelays lets those go on who waited for the answer to a question.
func (l *loop) endRelays(f *fetching) {
	l.relays = slices.DeleteFunc(l.relays, func(r *relay) bool {
		if r.from != f.from || r.job != f.job || r.span.Lo >= f.span.Hi || f.span.Lo >= r.span.Hi {
			return false
		}
		close(r.done)
		return true
	})
}
