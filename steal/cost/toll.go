package cost

import (
	"math"
	"time"
)

// A toll is what calls of a function at a peer take beside queue, ways and run: what nobody accounts for. A line that has
// turned slow is the usual reason: its pace is measured by who receives much in one go, so a node that sends small
// inputs hears nothing of it, but each report tells the whole time. Without it such a node would believe for ever that its
// peer is quick, however often it is told otherwise.
type toll struct {
	n, mean, v float64
	row        int8 // reports in a row that were far off
	last       time.Duration
}

const (
	tollMemory = 4.0              // reports that count
	tollStep   = 8.0              // one report says no more than so many times the whole that was expected: a stall is no line
	tollLife   = 10 * time.Second // after which half of it is forgotten: there is no other way to find that it is over than to try again
	tollClear  = 3.0              // standard deviations of what was expected that are no noise
	tollRow    = 2                // reports that have to agree: one may have met somebody else in a queue
)

// learn takes in what was left over of a report of which whole was expected.
func (t *toll) learn(now time.Duration, over float64, whole Dist) {
	if over < max(whole.Mean, tollClear*math.Sqrt(whole.Var)) {
		t.row, over = 0, 0
		if t.mean == 0 {
			return
		}
	} else if t.row++; t.row < tollRow && t.mean == 0 {
		return
	}
	over = min(over, tollStep*whole.Mean)
	t.mean *= t.keep(now)
	t.last = now
	t.n = min(t.n+1, tollMemory)
	d := over - t.mean
	t.mean += d / t.n
	t.v += (d*d*(1-1/t.n) - t.v) / t.n
}

func (t *toll) keep(now time.Duration) float64 {
	return math.Exp2(-float64(now-t.last) / float64(tollLife))
}

// now is the toll as it is believed to be.
func (t *toll) now(now time.Duration) Dist {
	if t.mean <= 0 {
		return Dist{}
	}
	keep := t.keep(now)
	return Dist{Mean: keep * t.mean, Var: keep * keep * t.v, Doubt: keep * keep * t.v / t.n}
}
