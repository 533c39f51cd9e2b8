package cost

import (
	"cmp"
	"slices"
	"time"
)

// An Estimate is what is expected of one candidate.
type Estimate struct {
	Peer                             string
	Total                            Dist
	Queue, Transfer, Cold, Run, Back Dist
	Toll                             Dist // within Transfer: what nothing that is known accounts for
	RTT                              time.Duration
	Age                              time.Duration // of what the peer has said of its load; −1: it has said nothing
	Samples                          int           // of this function there, old ones counting less
	Rejected                         string        // why it is none; empty: it is one

	slot  int32
	score float64 // what is compared: the 90th percentile of the total, and the price of energy
}

// parts are what a total consists of.
type parts struct {
	queue, to, cold, run, back Dist
	toll                       Dist // within to: what nothing that is known accounts for
}

// parts estimates a candidate.
func (v *view) parts(now time.Duration, a *Ask, p *peer, t *track) (e parts) {
	e.run = v.run(now, p, t)
	if (t == nil || t.n < 0.75) && v.cold > 0 {
		e.cold = about(e.run.Mean*v.cold, 0.5)
	}
	e.queue, e.to, e.back = p.queue(now, e.run.Mean), p.way(float64(a.In)), p.way(v.out)
	if t != nil {
		e.toll = t.toll.now(now)
		e.to = e.to.Add(e.toll)
	}
	return e
}

// total adds them up. Every part counts once.
func (e *parts) total() Dist {
	return e.queue.Add(e.to).Add(e.cold).Add(e.run).Add(e.back)
}

// estimate is a candidate with all that is told of it; score is left to the caller.
func (v *view) estimate(now time.Duration, a *Ask, p *peer, t *track) Estimate {
	c := v.parts(now, a, p, t)
	e := Estimate{
		Peer: p.ID, Total: c.total(), Queue: c.queue, Transfer: c.to, Cold: c.cold, Run: c.run, Back: c.back, Toll: c.toll, RTT: p.RTT, Age: -1, slot: p.slot,
	}
	if p.Load.Heard {
		e.Age = max(0, now-p.Load.At)
	}
	if t != nil {
		e.Samples = int(t.n + 0.5)
	}
	return e
}

// price is what energy adds to the score.
func (a *Ask) price(p *peer, e *Estimate) float64 {
	switch {
	case a.Energy <= 0:
		return 0
	case p.Self:
		return a.Energy * (e.Run.Mean + e.Cold.Mean)
	}
	return a.Energy * RadioShare * (e.Transfer.Mean + e.Back.Mean)
}

// Estimates tells what is expected of everybody who is known, the best first and those that are no candidates last,
// by name; and why they are none. What was decided, if not nil, stands for its peer, at which the task itself would wait
// now. It changes nothing. It costs more than a choice: a slice of all.
func (m *Model) Estimates(now time.Duration, a *Ask, decided *Estimate) []Estimate {
	f := m.function(a.Function)
	v := f.see(now, a)
	list := make([]Estimate, 0, len(m.slots))
	for k := range m.peers {
		p := &m.peers[k]
		if p.ID == "" {
			continue
		}
		t := f.find(p)
		e := v.estimate(now, a, p, t)
		if decided != nil && decided.Peer == p.ID {
			e = *decided
		}
		p90 := e.Total.p90()
		e.score = p90 + a.price(p, &e)
		if e.Rejected = a.rejects(p, t); e.Rejected == "" && a.Deadline > 0 && p90 > float64(a.Deadline) {
			e.Rejected = RejectedDeadline
		}
		list = append(list, e)
	}
	slices.SortFunc(list, func(x, y Estimate) int {
		if out := cmp.Compare(boolToInt(x.Rejected != ""), boolToInt(y.Rejected != "")); out != 0 {
			return out
		}
		return cmp.Or(cmp.Compare(x.score, y.score), cmp.Compare(x.Peer, y.Peer))
	})
	return list
}

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
