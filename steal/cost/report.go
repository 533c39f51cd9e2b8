package cost

import "time"

// A Report says what became of a choice.
type Report struct {
	Ask      Ask
	Expected Estimate      // the chosen
	Took     time.Duration // from the decision to the outcome
	Failed   bool
}

// Report learns from what became of a choice. How long the task ran is no part of a report. A node that sees outcomes
// learns that from them (Learn), and from the report what it took beside that (toll.go); else it is concluded: of the difference between what was expected and what it took, run
// and queue get the share that their variance has.
func (m *Model) Report(now time.Duration, r *Report) {
	p := m.peer(r.Expected.Peer)
	if p == nil || r.Took <= 0 || r.Failed {
		return // how long a failure took tells nothing
	}
	m.errors.learn(r.Expected.Total, r.Took)
	f := m.function(r.Ask.Function)
	if t := f.find(p); t != nil && t.seen > 0 && now-t.seen <= r.Took {
		e := &r.Expected // its outcome was seen meanwhile
		t.toll.learn(now, float64(r.Took)-t.ran-(e.Total.Mean-e.Run.Mean-e.Toll.Mean), e.Total)
		return
	}
	e := &r.Expected
	off := (float64(r.Took) - e.Total.Mean) / max(e.Total.Var, 1)
	p.waits.learn(max(0, e.Queue.Mean+off*e.Queue.Var))
	ran := max(duration(e.Run.Mean+off*(e.Run.Var+e.Cold.Var)), time.Duration(leastRun*float64(r.Took)))
	f.learn(now, p, Sample{In: r.Ask.In, Out: -1, Ran: ran})
	p.settle()
}

// leastRun is the share of the time that a task is believed to have run at least, however wrong the rest was.
const leastRun = 0.1
