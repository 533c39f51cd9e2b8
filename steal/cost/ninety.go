package cost

import "math"

// ninety is a log-normal's 90th percentile over its mean, by the square of its coefficient of variation: a table, because a
// choice among a thousand peers asks for it a thousand times. It has a few steps for each doubling, and is
// interpolated between them, to one part in a thousand.
var ninety = func() (table [octaves*steps + 1]float64) {
	for k := range table {
		s := math.Log1p(math.Exp2(float64(k)/steps) * lowest * stepError(k))
		table[k] = math.Exp(z90*math.Sqrt(s) - s/2)
	}
	return table
}()

const (
	stepBits = 3
	steps    = 1 << stepBits
	octaves  = 24
	lowest   = 1.0 / (1 << 17)
)

// stepError is by what the k-th step differs from an even one: steps are even within a doubling, not in its logarithm.
func stepError(k int) float64 {
	even := 1 + float64(k%steps)/steps
	return even / math.Exp2(float64(k%steps)/steps)
}

// p90 is the 90th percentile in nanoseconds.
func (d Dist) p90() float64 {
	if d.Mean <= 0 {
		return 0
	}
	square := d.Var / (d.Mean * d.Mean)
	if square < lowest {
		return d.Mean * (1 + z90*math.Sqrt(square))
	}
	bits := math.Float64bits(square) - math.Float64bits(lowest)
	k := bits >> (52 - stepBits)
	if k >= octaves*steps {
		return d.Mean * ninety[octaves*steps]
	}
	part := float64(bits&(1<<(52-stepBits)-1)) / (1 << (52 - stepBits))
	return d.Mean * (ninety[k] + part*(ninety[k+1]-ninety[k]))
}
