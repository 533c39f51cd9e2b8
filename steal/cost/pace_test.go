package cost

import (
	"testing"
	"time"
)

// TestPaceTakesAnything that a driver may tell, and stays within bounds.
func TestPaceTakesAnything(t *testing.T) {
	for _, took := range []time.Duration{-1, 0, 1, time.Second, 1 << 62} {
		for _, bytes := range []int64{-1, 0, 1, 1 << 20, 1 << 62} {
			var p Pace
			for range 1000 {
				p.Learn(bytes, took)
			}
			if got := p.Of(1 << 62); got < 0 || got > time.Hour {
				t.Errorf("%d bytes in %v: %v", bytes, took, got)
			}
		}
	}
}
