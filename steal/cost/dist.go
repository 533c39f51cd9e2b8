package cost

import (
	"math"
	"time"
)

// A Dist is how long something takes, as far as is known: a mean, how much single times vary
// around it, and how little is known of the mean itself. Parts that follow each other add up
// (Add); quantiles are those of the log-normal with the same mean and variance (Fenton and
// Wilkinson's approximation of sums). The zero Dist takes no time.
type Dist struct {
	Mean  float64 // nanoseconds
	Var   float64 // of single times, the doubt included; nanoseconds squared
	Doubt float64 // variance of what is believed of the mean; at most Var
}

// about is a time whose spread is a share of it, and all of that is doubt.
func about(ns, share float64) Dist {
	v := ns * ns * share * share
	return Dist{ns, v, v}
}

// logNormal is a time with a median and variances of its logarithm.
func logNormal(median, variance, doubt float64) Dist {
	variance = min(variance, maxLogVar)
	mean := median * (1 + variance/2*(1+variance/4)) // e^(v/2), to its third term
	square := mean * mean
	grow := variance * (1 + variance/2*(1+variance/3)) // e^v − 1
	return Dist{mean, square * grow, square * grow * min(1, doubt/max(variance, 1e-12))}
}

// maxLogVar bounds the variance of a logarithm: beyond a factor of nine in both directions nothing is known at all.
const maxLogVar = 1.5

// Add is how long one and then the other take.
func (d Dist) Add(e Dist) Dist {
	return Dist{d.Mean + e.Mean, d.Var + e.Var, d.Doubt + e.Doubt}
}

// z90 is the normal distribution's 90th percentile.
const z90 = 1.2815515655446004

// logVar is the variance of the logarithm that goes with a variance.
func (d Dist) logVar(v float64) float64 {
	if d.Mean <= 0 {
		return 0
	}
	return math.Log1p(min(v/(d.Mean*d.Mean), 64)) // as far as the table of ninety goes; up to there P90 is not below Mean
}

// P50 is the median.
func (d Dist) P50() time.Duration { return duration(d.Mean * math.Exp(-d.logVar(d.Var)/2)) }

// P90 is what nine of ten do not exceed.
func (d Dist) P90() time.Duration { return duration(d.p90()) }

// Sooner is how likely it is that what d describes takes less time, usually, than what e
// describes: of the two usual times, not of two single ones.
func (d Dist) Sooner(e Dist) float64 {
	if d.Mean <= 0 || e.Mean <= 0 {
		return 0.5 + 0.5*float64(sign(e.Mean-d.Mean))
	}
	vd, ve := d.logVar(d.Doubt), e.logVar(e.Doubt)
	by := math.Log(e.Mean) - ve/2 - math.Log(d.Mean) + vd/2
	return normal(by / math.Sqrt(max(vd+ve, 1e-9)))
}

// normal is the standard normal distribution function.
func normal(z float64) float64 { return 0.5 * math.Erfc(-z/math.Sqrt2) }

func sign(x float64) int {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

// duration is so many nanoseconds, as far as they can be said.
func duration(ns float64) time.Duration {
	if ns >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(ns)
}
