//go:build linux

package wan

import (
	"testing"
	"time"

	"github.com/filchsched/filch/testbed/nodes"
	"github.com/filchsched/filch/testbed/spaces"
)

// TestOutgoingOnly: a node behind address translation, which nobody can dial, steals from others and is
// stolen from, at once and when all its connections have been closed for long, with UDP and without.
func TestOutgoingOnly(t *testing.T) {
	full := size(t)
	for _, noUDP := range []bool{true, false} {
		if !noUDP && !full {
			continue
		}
		name := "with UDP"
		if noUDP {
			name = "TCP alone"
		}
		t.Run(name, func(t *testing.T) { outgoingOnly(t, full, noUDP) })
	}
}

func outgoingOnly(t *testing.T, full, noUDP bool) {
	spaces.Isolated(t, whole, func(t *testing.T, programs []string) {
		r := build(t, programs[0], dsl(40*ms), true)
		if noUDP {
			spaces.In(t, west, "iptables -A FORWARD -p udp -j DROP")
		}
		r.add(t, west, 1)
		r.add(t, west, 1)
		hidden := r.add(t, east, 1)
		nodes.Assemble(t, r.all(), nil)
		unreachable(t, r.west[0], hidden)
		n := 30
		if full {
			n = 60
		}
		bothWays(t, r, n, "at once")
		if full && !noUDP { // without UDP gossip keeps connections open
			silence(t, r)
			bothWays(t, r, n, "after silence")
		}
	}, "../nodes/program")
}

// unreachable makes sure that a node cannot be dialled, so that the test shows something.
func unreachable(t *testing.T, from, hidden *nodes.Process) {
	t.Helper()
	for _, addr := range []string{hidden.Addr, eastCable} {
		if out, err := from.In("timeout", "2", "bash", "-c", "exec 3<>/dev/tcp/"+addr+"/7447").CombinedOutput(); err == nil {
			t.Fatalf("%s can dial %s: %s", from.Name, addr, out)
		}
	}
}

// bothWays has each side run n calls that were submitted on the other, and both share those that may run anywhere.
func bothWays(t *testing.T, r *rig, n int, when string) {
	t.Helper()
	hidden := r.east[0]
	for _, c := range []struct {
		what  string
		home  *nodes.Process
		avoid []*nodes.Process
	}{
		{"work of a node that can be dialled, which only the hidden one may run", r.west[1], r.west},
		{"work of the hidden node, which only the others may run", hidden, r.east},
		{"work of a node that can be dialled", r.west[0], nil},
		{"work of the hidden node", hidden, nil},
	} {
		q := waiting(n, 60*ms)
		q.Avoid = names(c.avoid)
		by, took := run(t, c.home, q)
		t.Logf("%s, %s: %v in %v", when, c.what, by, short(took))
		if here, there := sum(by, r.west...), sum(by, hidden); c.avoid == nil && min(here, there) < n/6 {
			t.Errorf("%s, %s: one side hardly takes part: %v", when, c.what, by)
		}
	}
}

// connectionsLast is how long a connection that nothing needs may last: a lease, a minute, and a round of
// looking after such.
const connectionsLast = 100 * time.Second

// silence keeps all nodes busy with work of their own until no connection with the hidden node is left. Then the others have
// nothing to do, and the hidden one, which is still busy, and asks nobody for anything, has more than it can run.
func silence(t *testing.T, r *rig) {
	t.Helper()
	hidden := r.east[0]
	own := func(takes time.Duration) nodes.Request {
		return nodes.Request{Takes: []time.Duration{takes}, Local: true}
	}
	long := hidden.Ask(t, own(connectionsLast+20*time.Second))
	var replies []<-chan nodes.Reply
	for _, p := range r.west {
		replies = append(replies, p.Ask(t, own(connectionsLast)))
	}
	begun := time.Now()
	for connected(t, hidden) {
		if time.Since(begun) > connectionsLast {
			t.Fatalf("the hidden node still has a connection after %v: nothing is shown", connectionsLast)
		}
		time.Sleep(time.Second) // nothing tells when connections end
	}
	t.Logf("all are busy with work of their own: no connection with the hidden node after %v", short(time.Since(begun)))
	for _, reply := range replies {
		<-reply
	}
	by, took := run(t, hidden, waiting(40, 60*ms))
	t.Logf("40 × 60 ms of the hidden node, which is busy: %v in %v", by, short(took))
	if sum(by, r.west...) < 20 {
		t.Errorf("nobody takes work off a hidden node that is busy: %v", by)
	}
	var asked, called float64
	for _, p := range r.all() {
		m, err := p.Metrics(t, "summons_total")
		if err != nil {
			t.Fatal(err)
		}
		if p == hidden {
			called = m["summons_total"]
		} else {
			asked += m["summons_total"]
		}
	}
	t.Logf("%v summonses by those who found no way to it, %v calls by it", asked, called)
	<-long
}

// connected tells whether a node has a connection.
func connected(t *testing.T, p *nodes.Process) bool {
	t.Helper()
	m, err := p.Metrics(t, "connections")
	if err != nil {
		t.Fatal(err)
	}
	return m["connections"] > 0
}
