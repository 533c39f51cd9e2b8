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
	for _, noUDP := range []bool{false, true} {
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
		bothWays(t, r, "at once")
		if full {
			silence(t, r)
			bothWays(t, r, "after silence")
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

// bothWays has each side run what was submitted on the other, and both run what may run anywhere.
func bothWays(t *testing.T, r *rig, when string) {
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
		q := waiting(60, 60*ms)
		q.Avoid = names(c.avoid)
		by, took := run(t, c.home, q)
		t.Logf("%s, %s: %v in %v", when, c.what, by, short(took))
		if here, there := sum(by, r.west...), sum(by, hidden); c.avoid == nil && min(here, there) < 10 {
			t.Errorf("%s, %s: one side hardly takes part: %v", when, c.what, by)
		}
	}
}

// silence keeps all nodes busy with work of their own, and then, the hidden one excepted, idle, until no connection with
// the hidden node is left.
func silence(t *testing.T, r *rig) {
	t.Helper()
	var replies []<-chan nodes.Reply
	for _, p := range r.all() {
		q := nodes.Request{Takes: []time.Duration{150 * time.Second}, Local: true}
		replies = append(replies, p.Ask(t, q))
	}
	begun := time.Now()
	for connected(t, r) {
		if time.Since(begun) > 140*time.Second {
			t.Log("the hidden node was never without a connection")
			break
		}
		time.Sleep(time.Second) // nothing tells when connections end
	}
	t.Logf("all are busy with work of their own: no connection to the hidden node after %v", short(time.Since(begun)))
	for _, reply := range replies {
		<-reply
	}
}

// connected tells whether the hidden node has a TCP connection or a metric that says so.
func connected(t *testing.T, r *rig) bool {
	t.Helper()
	m, err := r.east[0].Metrics(t, "connections")
	if err != nil {
		t.Fatal(err)
	}
	return m["connections"] > 0
}
