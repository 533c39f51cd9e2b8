package parallel

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// maxDuration bounds what can be asked for: a hundred years, which is as good as for
// ever and far from where time.Duration overflows.
const maxDuration = 100 * 365 * 24 * time.Hour

// units are what a number may be followed by.
var units = map[string]time.Duration{
	"": time.Second, "ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
}

// ParseDuration reads a time as parallel's flags take it: seconds, with a fraction if need be,
// or numbers with units (ms, s, m, h, d) one after another, such as 1m30s.
func ParseDuration(s string) (time.Duration, error) {
	var total float64
	for rest := s; ; {
		n := len(rest) - len(strings.TrimLeft(rest, ".0123456789"))
		number, err := strconv.ParseFloat(rest[:n], 64)
		if err != nil {
			return 0, errDuration(s)
		}
		rest = rest[n:]
		n = len(rest) - len(strings.TrimLeft(rest, "dhms"))
		unit, ok := units[rest[:n]]
		if !ok || rest[:n] == "" && (rest != "" || strings.ContainsAny(s, "dhms")) {
			return 0, errDuration(s)
		}
		total += number * float64(unit)
		if rest = rest[n:]; rest == "" {
			break
		}
	}
	if total > float64(maxDuration) {
		return 0, fmt.Errorf("%q is more than a hundred years", s)
	}
	return time.Duration(math.Round(total)), nil
}

func errDuration(s string) error {
	return fmt.Errorf("%q is not a time: give seconds (10, 0.5), or numbers with units (500ms, 90s, 1m30s, 2h, 1d)", s)
}
