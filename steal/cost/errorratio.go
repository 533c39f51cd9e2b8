package cost

import (
	"math"
	"time"
)

// An errorRatio is how wrong the estimates are: discounted, by what factor the time that a task
// took differs from the median that was expected, either way.
type errorRatio struct {
	n, mean float64
	over    float64 // share of those that took longer than their 90th percentile
}

const errorMemory = 100

// learn takes in an estimate and what came of it.
func (e *errorRatio) learn(expected Dist, took time.Duration) {
	p50 := float64(expected.P50())
	if p50 <= 0 || took <= 0 {
		return
	}
	e.n = min(e.n+1, errorMemory)
	e.mean += (math.Abs(math.Log(float64(took)/p50)) - e.mean) / e.n
	over := 0.0
	if took > expected.P90() {
		over = 1
	}
	e.over += (over - e.over) / e.n
}

// Accuracy is how good the estimates were lately.
type Accuracy struct {
	Reports int     // that it rests on, at most a hundred
	Ratio   float64 // 0: exact; 0.25: wrong by a factor of 1.25 either way, typically
	Over90  float64 // share that took longer than the 90th percentile: a tenth, if all is right
}

// Accuracy tells how good the estimates were lately.
func (m *Model) Accuracy() Accuracy {
	e := &m.errors
	return Accuracy{int(e.n), math.Expm1(e.mean), e.over}
}
