package core

import (
	"testing"
	"time"
)

// TestPaceIsMeasured: 100 MiB/s are believed at first; a few transfers show what the line makes, one that
// stalls does not, and what has changed is believed in time.
func TestPaceIsMeasured(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "a": 1, "b": 1})
	w.members()
	w.pass(time.Second)
	home := w.nodes["home"]
	near := func(p PeerID, want int64) bool {
		got := home.Bandwidth(p)
		return got > want*4/5 && got < want*5/4
	}
	move := func(times int, rate int64) {
		for range times {
			w.step("home", Moved{Peer: "a", Bytes: 1 << 20, Took: time.Second << 20 / time.Duration(rate)})
		}
	}
	if !near("a", 100<<20) {
		t.Errorf("%d B/s are believed at first", home.Bandwidth("a"))
	}
	w.step("home", Moved{Peer: "a", Bytes: 300 << 10, Took: 10 * time.Second})
	if home.Bandwidth("a") < 50<<20 {
		t.Errorf("%d B/s after one transfer that stalled", home.Bandwidth("a"))
	}
	move(40, 1<<20)
	if !near("a", 1<<20) {
		t.Errorf("%d B/s over a line that makes a MiB", home.Bandwidth("a"))
	}
	if !near("b", 100<<20) {
		t.Errorf("%d B/s to another peer", home.Bandwidth("b"))
	}
	if took := home.transfer("a", &Terms{Name: "f", InBytes: 10 << 20}); took < 8*time.Second || took > 12*time.Second {
		t.Errorf("a task of 10 MiB is %v away", took)
	}
	move(200, 500<<20)
	if !near("a", 500<<20) {
		t.Errorf("%d B/s after the line became fast", home.Bandwidth("a"))
	}
}
