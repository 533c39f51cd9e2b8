package steal

import (
	"cmp"
	"slices"

	"github.com/filchsched/filch/steal/core"
)

// An origin is who granted a piece that is held here, and so whose word it is what to run.
type origin struct {
	core.Span
	attempt core.Attempt
	peer    core.PeerID
}

// maxOrigins bounds what is remembered of one job; a piece whose origin was forgotten is fetched from
// its home.
const maxOrigins = 1 << 14

// granted remembers where the parts of a grant came from.
func (l *loop) granted(from core.PeerID, m *core.Grant) {
	l.sweepLater()
	for k := range m.Parts {
		p := &m.Parts[k]
		list := l.origins[p.Job]
		if n := len(list); n > 0 && list[n-1].peer == from && list[n-1].attempt == p.Attempt && list[n-1].Hi == p.Lo {
			list[n-1].Hi = p.Hi
			continue
		}
		if len(list) >= maxOrigins {
			list = slices.Delete(list, 0, 1)
		}
		l.origins[p.Job] = append(list, origin{p.Span, p.Attempt, from})
	}
}

// originOf is who granted a piece; its home if that was forgotten.
func (l *loop) originOf(p core.Piece) core.PeerID {
	for _, o := range l.origins[p.Job] {
		if o.attempt == p.Attempt && o.Lo <= p.Lo && p.Hi <= o.Hi {
			return o.peer
		}
	}
	return p.Job.Home
}

// leave forgets a piece that has ended here, with its bodies.
func (l *loop) leave(p core.Piece) {
	list, ok := l.origins[p.Job]
	if !ok {
		return
	}
	for k := 0; k < len(list); k++ {
		o := &list[k]
		lo, hi := max(o.Lo, p.Lo), min(o.Hi, p.Hi)
		if o.attempt != p.Attempt || lo >= hi {
			continue
		}
		l.bodies.drop(bodyKey{o.peer, p.Job}, core.Span{Lo: lo, Hi: hi})
		switch {
		case lo == o.Lo && hi == o.Hi:
			list = slices.Delete(list, k, k+1)
			k--
		case lo == o.Lo:
			o.Lo = hi
		case hi == o.Hi:
			o.Hi = lo
		default:
			rest := *o
			o.Hi, rest.Lo = lo, hi
			list = slices.Insert(list, k+1, rest)
			k++
		}
	}
	if len(list) == 0 {
		delete(l.origins, p.Job)
		return
	}
	l.origins[p.Job] = list
}

// sweepLater has what nothing here needs any more forgotten after a while. Each grant asks for it.
func (l *loop) sweepLater() {
	if l.sweeping {
		return
	}
	l.sweeping = true
	l.later(headerLasts, (*loop).sweep)
}

// sweep forgets what is not held any more. Most pieces leave when they have ended, but the driver does not
// hear of every end: the core drops what had not started when a lease runs out, a peer has gone, or a
// grantor does not know it. Headers go at the second sweep without an origin: the peer does not send them
// again in this epoch, so they are kept for a while in case that more of the job comes.
func (l *loop) sweep() {
	l.sweeping = false
	for job, list := range l.origins {
		l.sweepOrigins(job, list)
	}
	idle := make(map[core.JobID]struct{})
	for _, job := range l.bodies.jobs() {
		if len(l.origins[job]) > 0 {
			continue
		}
		if _, again := l.idle[job]; again {
			l.bodies.forget(job)
		} else {
			idle[job] = struct{}{}
		}
	}
	l.idle = idle
	if len(l.origins)+len(idle) > 0 {
		l.sweepLater()
	}
}

// sweepOrigins keeps those parts of a job's origins that are held.
func (l *loop) sweepOrigins(job core.JobID, list []origin) {
	var left []origin
	for _, o := range list {
		parts := l.core.HeldOf(core.Piece{Job: job, Span: o.Span, Attempt: o.attempt})
		slices.SortFunc(parts, func(a, b core.Span) int { return cmp.Compare(a.Lo, b.Lo) })
		at := o.Lo
		for _, s := range parts {
			if at < s.Lo {
				l.bodies.drop(bodyKey{o.peer, job}, core.Span{Lo: at, Hi: s.Lo})
			}
			left = append(left, origin{s, o.attempt, o.peer})
			at = max(at, s.Hi)
		}
		if at < o.Hi {
			l.bodies.drop(bodyKey{o.peer, job}, core.Span{Lo: at, Hi: o.Hi})
		}
	}
	if l.origins[job] = left; len(left) == 0 {
		delete(l.origins, job)
	}
}
