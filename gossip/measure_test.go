package gossip

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// TestRoundTripsAreMeasured: soon after joining every node knows the round trip to every
// member: within a probe of each, which is as many probe intervals as there are members.
func TestRoundTripsAreMeasured(t *testing.T) {
	const n, oneWay = 6, 12 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 9, n)
		defer w.stop()
		w.net.SetLatency(func(a, b peer.ID) time.Duration { return oneWay })
		w.burst()
		w.await(time.Minute, "everybody", (*simNode).complete)
		took := w.await(2*n*probeInterval, "all round trips", func(s *simNode) bool {
			for _, m := range s.cluster.Members() {
				if !m.Self && m.RTT == 0 {
					return false
				}
			}
			return true
		})
		for _, s := range w.nodes {
			for _, m := range s.cluster.Members() {
				if off := m.RTT - 2*oneWay; !m.Self && off.Abs() > oneWay/2 {
					t.Errorf("node %d: %v to %s, it is %v", s.i, m.RTT, m.Name, 2*oneWay)
				}
			}
		}
		t.Logf("all round trips are known %v after everybody is", took)
	})
}

// TestTheShortestOfTheLastTripsCounts: a machine that was busy once is not far away; one
// that has moved away is, after as many probes as count; small differences are not told.
func TestTheShortestOfTheLastTripsCounts(t *testing.T) {
	const ms = time.Millisecond
	var x trips
	for i, step := range []struct{ measured, told time.Duration }{
		{40 * ms, 40 * ms}, {10 * ms, 10 * ms}, {90 * ms, 0}, {10500 * time.Microsecond, 0}, {9 * ms, 0}, {8 * ms, 8 * ms},
		{50 * ms, 0}, {50 * ms, 0}, {50 * ms, 0}, {50 * ms, 50 * ms},
	} {
		if got, news := x.add(step.measured); got != step.told || news != (step.told != 0) {
			t.Errorf("step %d: after %v %v is told, want %v", i, step.measured, got, step.told)
		}
	}
}
