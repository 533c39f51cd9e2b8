package cost

import (
	"math/bits"
	"time"
)

// A Pace is how fast things travel to or from a peer, measured by what has been carried: time
// per byte, the latest bytes counting most. The zero Pace has measured nothing.
type Pace struct {
	bytes int64
	took  time.Duration
}

// usual is believed before anything was measured: one transfer among others on a gigabit line, 100 MiB a
// second, with the weight of four megabytes.
var usual = Pace{4 << 20, 40 * time.Millisecond}

const (
	paceMemory = 32 << 20 // bytes after which what was measured counts half
	paceStep   = 8        // one transfer is no more than so many times slower or faster than was believed: a stall is no line
)

// Known tells whether anything was measured.
func (p Pace) Known() bool { return p.bytes > 0 }

// Learn takes in one transfer.
func (p *Pace) Learn(bytes int64, took time.Duration) {
	if bytes <= 0 || took < 0 {
		return
	}
	if p.bytes == 0 {
		*p = usual
	}
	bytes = min(bytes, paceMemory)
	believed := p.Of(bytes)
	p.took += min(max(took, believed/paceStep, 1), paceStep*believed+1)
	p.bytes += bytes
	if p.bytes > paceMemory {
		p.bytes, p.took = p.bytes/2, p.took/2
	}
}

// Of is how long so many bytes travel.
func (p Pace) Of(bytes int64) time.Duration {
	if p.bytes == 0 {
		p = usual
	}
	hi, lo := bits.Mul64(uint64(min(max(bytes, 0), 1<<32)), uint64(p.took))
	if hi >= uint64(p.bytes) {
		return time.Hour // slower than anything that is worth waiting for
	}
	ns, _ := bits.Div64(hi, lo, uint64(p.bytes))
	return time.Duration(min(ns, uint64(time.Hour)))
}

// perByte is Of as a factor, in nanoseconds.
func (p Pace) perByte() float64 {
	if p.bytes == 0 {
		p = usual
	}
	return float64(p.took) / float64(p.bytes)
}
