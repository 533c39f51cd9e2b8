//go:build linux

package wan

import (
	"slices"
	"testing"
	"time"

	"github.com/filchsched/filch/testbed/nodes"
	"github.com/filchsched/filch/testbed/spaces"
	"github.com/filchsched/filch/testbed/wan/line"
)

const ms = time.Millisecond

// dsl is a line of 10 Mbit/s with a round trip.
func dsl(rtt time.Duration) line.Shape { return line.Shape{Delay: rtt / 2, Rate: 10_000_000} }

// waiting is a request for calls that wait, with something to take along and to bring back.
func waiting(n int, takes time.Duration) nodes.Request {
	return nodes.Request{Takes: slices.Repeat([]time.Duration{takes}, n), Payload: 4 << 10, Result: 1 << 10}
}

// TestFarSites: what is submitted on one site is run on both, once each.
func TestFarSites(t *testing.T) {
	shapes := map[string]line.Shape{"20 ms": dsl(20 * ms), "80 ms": dsl(80 * ms), "80 ms, 1 % lost": {Delay: 40 * ms, Rate: 10_000_000, Loss: 0.01}}
	if !size(t) {
		shapes = map[string]line.Shape{"80 ms, 1 % lost": shapes["80 ms, 1 % lost"]}
	}
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) { farSites(t, shape, false) })
	}
}

// TestWithoutUDP: the same where a router between the sites drops all UDP.
func TestWithoutUDP(t *testing.T) {
	if !size(t) {
		t.Skip("only with make wan; TestOutgoingOnly does without UDP, too")
	}
	farSites(t, dsl(40*ms), true)
}

func farSites(t *testing.T, shape line.Shape, noUDP bool) {
	spaces.Isolated(t, whole, func(t *testing.T, programs []string) {
		r := build(t, programs[0], shape, false)
		if noUDP {
			spaces.In(t, west, "iptables -A FORWARD -p udp -j DROP")
		}
		for _, site := range []string{west, west, east, east} {
			r.add(t, site, 2)
		}
		nodes.Assemble(t, r.all(), nil)
		for _, home := range []*nodes.Process{r.west[0], r.east[1]} {
			by, took := run(t, home, waiting(200, 60*ms))
			here, there := sum(by, r.west...), sum(by, r.east...)
			t.Logf("200 × 60 ms submitted on %s: %d ran on the west, %d on the east, in %v", home.Name, here, there, short(took))
			if min(here, there) < 50 { // of 100
				t.Errorf("submitted on %s, by node %v: one site hardly takes part", home.Name, by)
			}
		}
		if noUDP {
			for _, p := range r.all() {
				m, err := p.Metrics(t, "packets_sent_total")
				t.Logf("%s: packets %v (%v)", p.Name, m, err)
			}
		}
	}, "../nodes/program")
}
