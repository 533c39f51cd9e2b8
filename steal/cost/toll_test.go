package cost

import (
	"testing"
	"time"
)

// TestReportsTellOfASlowLine: outcomes say that a function runs quickly at a peer, and reports that it takes long all the same. So
// it comes home after a few, and tries again later.
func TestReportsTellOfASlowLine(t *testing.T) {
	m := pair(0, "there")
	runs := map[string]time.Duration{"here": 30 * time.Millisecond, "there": 3 * time.Millisecond}
	ask := *askF(1000)
	now := time.Second
	one := func(line time.Duration) string {
		now += 50 * time.Millisecond
		c := m.Choose(now, &ask)
		took := runs[c.Peer]
		if c.Peer == "there" {
			took += line
		}
		now += took
		m.Learn(now, "f", c.Peer, Sample{In: ask.In, Out: 10, Ran: runs[c.Peer]})
		m.Report(now, &Report{Ask: ask, Expected: c.Chosen, Took: took})
		return c.Peer
	}
	times := func(n int, line time.Duration) (there int) {
		for range n {
			if one(line) == "there" {
				there++
			}
		}
		return there
	}
	for range 4 {
		m.Learn(now, "f", "there", Sample{In: ask.In, Out: 10, Ran: runs["there"]})
		m.Learn(now, "f", "here", Sample{In: ask.In, Out: 10, Ran: runs["here"]})
	}
	times(20, time.Millisecond)
	if there := times(20, time.Millisecond); there < 18 {
		t.Fatalf("with a fast line %d of 20 go there", there)
	}
	if there := times(20, 300*time.Millisecond); there > 6 {
		t.Errorf("with a slow line %d of 20 go there", there)
	}
	if there := times(1200, 300*time.Millisecond); there > 60 {
		t.Errorf("with a slow line %d of 1200 go there", there)
	}
	times(600, time.Millisecond)
	if there := times(20, time.Millisecond); there < 18 {
		t.Errorf("after the line has recovered %d of 20 go there", there)
	}
}
