package parallel

import (
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"0": 0, "10": 10 * time.Second, "0.5": 500 * time.Millisecond, ".5": 500 * time.Millisecond, "2s": 2 * time.Second,
		"1.5m": 90 * time.Second, "1m30s": 90 * time.Second, "1d2h": 26 * time.Hour, "250ms": 250 * time.Millisecond, "1m1ms": time.Minute + time.Millisecond,
	} {
		if got, err := ParseDuration(s); got != want || err != nil {
			t.Errorf("%q: got %v, %v, want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "x", "-1", "1x", "s", "1s5", "1 s", "1h30", "..", "1e3", "1e400s", "99999999999999", "NaN", "inf", "1sm", "٣"} {
		if got, err := ParseDuration(s); err == nil {
			t.Errorf("%q is %v", s, got)
		}
	}
}

func FuzzParseDuration(f *testing.F) {
	f.Add("1d2h3m4s5ms")
	f.Add("1e9.")
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := ParseDuration(s); err == nil && (d < 0 || d > maxDuration) {
			t.Errorf("%q is %v", s, d)
		}
	})
}
