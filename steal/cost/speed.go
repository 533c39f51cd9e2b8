package cost

import (
	"math"
	"time"
)

// A Machine is what a member says of its cores. Zero is not known.
type Machine struct {
	Score float64 // of the calibration; 1 is the core that Reference describes
	MHz   float64 // the highest clock of a core
	Wide  int     // bits of the widest vectors it computes with
}

// Reference is the core that has speed 1.
const Reference = 3000 // MHz, with vectors of 256 bits

// How well a speed is known before anything has run, and the variance of it as a logarithm.
const (
	byScore = iota // a calibration tells more than
	byClock        // a clock, and that more than
	byGuess        // nothing
)

var speedDoubt = [...]float64{byScore: 0.3 * 0.3, byClock: 0.5 * 0.5, byGuess: 0.7 * 0.7}

// speed is how fast a core is before anything has run on it, and what that rests on. How fast a certain function
// runs it does not tell.
func (m Machine) speed() (times float64, by int) {
	switch {
	case m.Score > 0:
		return min(max(m.Score, 1.0/64), 64), byScore
	case m.MHz > 0:
		times = m.MHz / Reference
		if m.Wide > 0 {
			times *= math.Pow(float64(m.Wide)/256, 0.25) // most programs make little of it
		}
		return min(max(times, 1.0/16), 16), byClock
	}
	return 1, byGuess
}

// A pull is how much faster than announced a peer turned out to be, over all functions, as a logarithm. It is for
// functions that have not run there; each that has goes by its own track (a single speed per peer has
// misled others: icecream#458).
type pull struct {
	n, mean float64
}

const pullMemory, pullPrior = 64, 4

func (p *pull) learn(off float64) {
	p.n = min(p.n+1, pullMemory)
	p.mean += (min(max(off, -3), 3) - p.mean) / p.n
}

// of is the correction.
func (p *pull) of() float64 { return p.mean * p.n / (p.n + pullPrior) }

// logOf is the logarithm of a time, which is at least a microsecond: below that clocks tell nothing.
func logOf(t time.Duration) float64 { return math.Log(float64(max(t, time.Microsecond))) }

// logSize is the logarithm of an input's size, which below a cache line makes no difference.
func logSize(bytes int64) float64 { return math.Log(float64(max(bytes, 64))) }
