package cost

import (
	"math"
	"time"
)

// A track is what one peer's times for one function have been, as logarithms, because times
// differ by factors. The environment is piecewise stationary: it stays as it is for a while and
// then changes (arXiv 2008.06302). So old samples lose weight with each new one and with time,
// two in a row that are surprising to the same side make a new beginning, and what has not been
// seen for a while is doubted.
type track struct {
	peer int32  // slot
	born uint32 // which of the slot's owners
	side int8   // surprises in a row, and to which side
	n    float64
	y, x float64 // discounted means: of the time's logarithm, and of the input's
	mid  float64 // e^y
	v    float64 // discounted variance around them
	last time.Duration
	seen time.Duration // when an outcome told how long a task ran; before that it is only concluded. 0: never
	ran  float64       // nanoseconds that one ran, by that outcome
	toll toll
}

const (
	memory      = 20.0 // samples that count at most
	halfLife    = 10 * time.Minute
	spread      = 0.25 // of single times, as a logarithm, before there are enough of them to tell
	spreadCount = 4.0  // samples that this guess counts for
	surprise    = 2.5  // standard deviations that begin a row; half of it goes on with one
	inARow      = 2    // surprises
	drift       = 4e-4 // variance of the logarithm per second without a sample: a factor of 1.5 in seven minutes
	maxDrift    = 1.0
)

// learn takes in a sample. slope is how a time's logarithm grows with its input's.
func (t *track) learn(now time.Duration, y, x, slope float64) {
	if t.n == 0 {
		t.n, t.y, t.x, t.v, t.side, t.last, t.mid = 1, y, x, 0, 0, now, math.Exp(y)
		return
	}
	t.n = max(t.n*math.Exp2(-float64(now-t.last)/float64(halfLife)), 0.25)
	t.last = now
	r := (y - t.y) - slope*(x-t.x)
	if t.surprised(r) {
		t.n, t.v, t.side = 0.5, t.variance(), 0
	}
	t.n = min(t.n+1, memory)
	k := 1 / t.n
	t.y += k * (y - t.y)
	t.x += k * (x - t.x)
	t.v += k * (r*r*(1-k) - t.v)
	t.mid = math.Exp(t.y)
}

// surprised tells whether everything was different lately.
func (t *track) surprised(r float64) bool {
	side, bound := int8(sign(r)), surprise
	if side*t.side > 0 {
		bound = surprise / 2 // those before have widened the variance already
	}
	switch {
	case r*r < bound*bound*t.variance():
		t.side = 0
	case side*t.side > 0:
		t.side += side
	default:
		t.side = side
	}
	return t.side >= inARow || t.side <= -inARow
}

// variance is that of single times.
func (t *track) variance() float64 {
	return (spread*spread*spreadCount + t.v*t.n) / (spreadCount + t.n)
}

// doubt is how little is known of the mean.
func (t *track) doubt(now time.Duration) float64 {
	return t.variance()/t.n + min(drift*(now-t.last).Seconds(), maxDrift)
}
