package parallel

import (
	"fmt"
	"strings"
	"time"
)

// Progress is how far a run has come.
type Progress struct {
	Total   int64 // 0: not known yet, the inputs are still being read
	Done    int64 // ended, whether they failed or not
	Failed  int64
	Running int64
	Elapsed time.Duration
}

// minBar is the narrowest bar that says more than its percentage.
const minBar = 10

// Line is p in at most width columns; with a bar if there is room for one.
func (p Progress) Line(width int, bar bool) string {
	text := p.text()
	if p.Total > 0 && bar {
		if room := width - len(text) - len("[] "); room >= minBar {
			filled := int(int64(room) * min(p.Done, p.Total) / p.Total)
			return "[" + strings.Repeat("#", filled) + strings.Repeat(".", room-filled) + "] " + text
		}
	}
	return text[:max(0, min(len(text), width))]
}

func (p Progress) text() string {
	var b strings.Builder
	if p.Total > 0 {
		fmt.Fprintf(&b, "%3d%% %d/%d", p.Done*100/p.Total, p.Done, p.Total)
	} else {
		fmt.Fprintf(&b, "%d done", p.Done)
	}
	if p.Failed > 0 {
		fmt.Fprintf(&b, ", %d failed", p.Failed)
	}
	fmt.Fprintf(&b, ", %d running, %s", p.Running, short(p.Elapsed))
	if left, ok := p.Left(); ok {
		fmt.Fprintf(&b, ", ETA %s", short(left))
	}
	return b.String()
}

// Left estimates the time until the end, from the pace so far. ok is false while there is
// nothing to go by.
func (p Progress) Left() (left time.Duration, ok bool) {
	if p.Total == 0 || p.Done == 0 || p.Done >= p.Total {
		return 0, false
	}
	each := float64(p.Elapsed) / float64(p.Done)
	return time.Duration(min(each*float64(p.Total-p.Done), float64(maxDuration))), true
}

// short is d to the second, without units that are zero at its end.
func short(d time.Duration) string {
	s := d.Round(time.Second).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
