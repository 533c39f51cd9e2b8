package main

import (
	"cmp"
	"slices"
	"time"
)

// median of a list, the mean of the middle two if their number is even; zero
// of an empty list.
func median[T time.Duration | float64](list []T) T {
	return quantile(list, 0.5)
}

// quantile interpolates linearly between the two nearest ranks.
func quantile[T time.Duration | float64](list []T, q float64) T {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.SortedFunc(slices.Values(list), cmp.Compare[T])
	rank := q * float64(len(sorted)-1)
	low := int(rank)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + T((rank-float64(low))*float64(sorted[high]-sorted[low]))
}

// A ratio compares two contenders: how often b's time fits into a's.
type ratio struct {
	value    float64 // of the medians
	min, max float64 // of single rounds, each against the same round
}

// timesFaster says how many times faster b is than a.
func timesFaster(a, b score) ratio {
	r := ratio{value: float64(median(a.took())) / float64(median(b.took()))}
	for i := range min(len(a.rounds), len(b.rounds)) {
		single := float64(a.rounds[i].Elapsed) / float64(b.rounds[i].Elapsed)
		if i == 0 {
			r.min, r.max = single, single
		}
		r.min, r.max = min(r.min, single), max(r.max, single)
	}
	return r
}

// scaled returns the ratio times f.
func (r ratio) scaled(f float64) ratio { return ratio{r.value * f, r.min * f, r.max * f} }
