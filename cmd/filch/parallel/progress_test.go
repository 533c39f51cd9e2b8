package parallel

import (
	"testing"
	"time"
)

func TestProgressLine(t *testing.T) {
	for _, c := range []struct {
		p     Progress
		width int
		bar   bool
		want  string
	}{
		{Progress{Total: 10, Done: 5, Running: 2, Elapsed: 10 * time.Second}, 80, false, " 50% 5/10, 2 running, 10s, ETA 10s"},
		{Progress{Total: 10, Done: 5, Running: 2, Elapsed: 10 * time.Second}, 47, true, "[#####.....]  50% 5/10, 2 running, 10s, ETA 10s"},
		{Progress{Total: 10, Done: 5, Running: 2, Elapsed: 10 * time.Second}, 46, true, " 50% 5/10, 2 running, 10s, ETA 10s"},
		{Progress{Total: 10, Done: 5, Running: 2, Elapsed: 10 * time.Second}, 8, true, " 50% 5/1"},
		{Progress{Total: 10, Done: 5}, 0, true, ""},
		{Progress{Total: 10, Done: 5}, -1, true, ""},
		{Progress{Done: 7, Failed: 1, Running: 1, Elapsed: 90 * time.Minute}, 80, true, "7 done, 1 failed, 1 running, 1h30m"},
		{Progress{Total: 3, Done: 3, Elapsed: time.Minute}, 36, true, "[##########] 100% 3/3, 0 running, 1m"},
		{Progress{Total: 3}, 60, false, "  0% 0/3, 0 running, 0s"},
	} {
		if got := c.p.Line(c.width, c.bar); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.p, got, c.want)
		}
	}
}
