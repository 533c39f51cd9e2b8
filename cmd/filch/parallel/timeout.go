package parallel

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// A Timeout is how long a command may run: a fixed time, or a percentage of the
// median of those that have ended. The zero value sets no limit.
type Timeout struct {
	Fixed   time.Duration
	Percent float64
}

// ParseTimeout reads the argument of --timeout: a time as ParseDuration takes it, or N%.
func ParseTimeout(s string) (Timeout, error) {
	digits, percent := strings.CutSuffix(s, "%")
	if !percent {
		d, err := ParseDuration(s)
		if err == nil && d == 0 {
			err = fmt.Errorf("%q would end every command at once: give more, or leave it out for no limit", s)
		}
		return Timeout{Fixed: d}, err
	}
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil || !(n > 0) || math.IsInf(n, 0) {
		return Timeout{}, fmt.Errorf("%q is not a percentage of the median: give one above zero, such as 200%%", s)
	}
	return Timeout{Percent: n}, nil
}

// minSample is how many commands must have ended before their median says anything.
// parallel has the same.
const minSample = 3

// Limit is how long a command may run given how long others took; 0 is
// without limit, for now.
func (t Timeout) Limit(m *Median) time.Duration {
	if t.Percent == 0 {
		return t.Fixed
	}
	if m.Count() < minSample {
		return 0
	}
	limit := float64(m.Value()) * t.Percent / 100
	return max(shortest, time.Duration(min(limit, float64(maxDuration))))
}

// A Median estimates the median of any number of times in constant memory: it counts
// them in buckets that are 2% wide, so it is right within 1%. The zero
// value is ready. It is not safe for concurrent use.
type Median struct {
	counts [buckets]uint32
	total  uint64
}

const (
	shortest  = 100 * time.Microsecond // less counts as this; no process starts and ends faster
	bucketLog = 0.0198026272961797     // math.Log(1.02)
	buckets   = 1550                   // log(maxDuration / shortest) / bucketLog, rounded up
)

// Add counts a time.
func (m *Median) Add(d time.Duration) {
	m.counts[bucketOf(d)]++
	m.total++
}

// Count is how many times were added.
func (m *Median) Count() uint64 { return m.total }

// Value is the median, 0 if there is none.
func (m *Median) Value() time.Duration {
	var seen uint64
	for i, n := range m.counts {
		if seen += uint64(n); seen > 0 && seen*2 >= m.total {
			return time.Duration(float64(shortest) * math.Exp((float64(i)+0.5)*bucketLog))
		}
	}
	return 0
}

func bucketOf(d time.Duration) int {
	if d <= shortest {
		return 0
	}
	i := int(math.Log(float64(d)/float64(shortest)) / bucketLog)
	return min(i, buckets-1)
}
