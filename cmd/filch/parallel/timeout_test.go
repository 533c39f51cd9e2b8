package parallel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestParseTimeout(t *testing.T) {
	for s, want := range map[string]Timeout{
		"5": {Fixed: 5 * time.Second}, "1m": {Fixed: time.Minute}, "200%": {Percent: 200}, "1.5%": {Percent: 1.5},
	} {
		if got, err := ParseTimeout(s); got != want || err != nil {
			t.Errorf("%q: got %v, %v, want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "0", "0%", "-5%", "%", "x%", "NaN%", "inf%", "1s%", "-1"} {
		if got, err := ParseTimeout(s); err == nil {
			t.Errorf("%q is %v", s, got)
		}
	}
}

func TestLimit(t *testing.T) {
	var m Median
	percent := Timeout{Percent: 200}
	for range minSample {
		if got := percent.Limit(&m); got != 0 {
			t.Errorf("after %d: %v", m.Count(), got)
		}
		m.Add(time.Second)
	}
	if got := percent.Limit(&m); got < 1980*time.Millisecond || got > 2020*time.Millisecond {
		t.Errorf("got %v", got)
	}
	if got := (Timeout{Fixed: time.Minute}).Limit(&m); got != time.Minute {
		t.Errorf("got %v", got)
	}
	if got := (Timeout{Percent: math.MaxFloat64}).Limit(&m); got != maxDuration {
		t.Errorf("got %v", got)
	}
	if got := (Timeout{}).Limit(&m); got != 0 {
		t.Errorf("got %v", got)
	}
}

// The median is right within 1%, over times from a fraction of a millisecond to years.
func TestMedian(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var m Median
		var all []time.Duration
		scale := float64(shortest) * math.Exp(rng.Float64()*28)
		for range 1 + rng.IntN(200) {
			d := time.Duration(scale * (1 + 9*rng.Float64()))
			m.Add(d)
			all = append(all, d)
		}
		slices.Sort(all)
		want := all[(len(all)-1)/2]
		if got := m.Value(); math.Abs(float64(got)/float64(want)-1) > 0.0101 {
			t.Fatalf("%d times: got %v, want %v", len(all), got, want)
		}
	}
	var m Median
	if m.Value() != 0 {
		t.Error("the median of nothing")
	}
	m.Add(-5)
	m.Add(math.MaxInt64)
}
