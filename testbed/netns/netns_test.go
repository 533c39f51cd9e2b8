//go:build linux

package netns

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/filchsched/filch/node"
	"github.com/filchsched/filch/node/control"
	"github.com/filchsched/filch/testbed/spaces"
)

// A plan is how large the test is, and how long its phases are.
type plan struct {
	shared, inner, alone int // nodes by where they are
	idle, blocked, cut   time.Duration
}

// sizeVariable is the environment's variable that says how many nodes.
const sizeVariable = "FILCH_NETNS"

// whole bounds the test, building included.
const whole = 10 * time.Minute

// patience is how long the nodes may take to agree after something happened.
const patience = 90 * time.Second

var plans = map[string]plan{
	"20": {shared: 8, inner: 6, alone: 6, idle: time.Minute, blocked: time.Minute, cut: 40 * time.Second},
	"6":  {shared: 4, alone: 2},
}

// TestNamespaces: real processes behind shared addresses, a masquerading router, dropped UDP
// and a partition find each other, keep each other, and see who is gone.
func TestNamespaces(t *testing.T) {
	p, ok := plans[os.Getenv(sizeVariable)]
	if !ok {
		t.Skipf("takes root and minutes: make netns, or %s=6 or 20", sizeVariable)
	}
	spaces.Isolated(t, whole, func(t *testing.T, programs []string) {
		r := &rig{program: programs[0], watchers: newWatchers(), short: p.idle == 0}
		r.build(t, p)
		r.assemble(t)
		if p.idle > 0 {
			cost(t, r.nodes, p.idle)
			r.healthy(t, fmt.Sprintf("%v of quiet", p.idle))
		}
		r.killed(t)
		if p.cut > 0 {
			r.partition(t, p.cut)
		}
		if p.blocked > 0 {
			r.withoutUDP(t, p.blocked)
		}
	}, "../../cmd/filch")
}

// A rig is the nodes of a run. The first ones are in the shared namespace.
type rig struct {
	*watchers
	program              string
	nodes                []*process
	shared, inner, alone []*process
	join                 string
	short                bool
}

func (r *rig) build(t *testing.T, p plan) {
	add := func(to *[]*process, name, space, listen string) {
		n := &process{name: name, space: space, listen: listen}
		*to, r.nodes = append(*to, n), append(r.nodes, n)
		t.Cleanup(func() {
			if t.Failed() && n.said != nil {
				t.Logf("%s said:\n%s", n.name, n.said)
			}
		})
	}
	spaces.Add(t, "shared", "10.99.0.10")
	for i := range p.shared {
		add(&r.shared, fmt.Sprint("shared", i), "shared", fmt.Sprint("10.99.0.10:", node.DefaultPort+i))
	}
	spaces.AddRouter(t, "10.99.0.20")
	for i := range p.inner {
		space, addr := fmt.Sprint("inner", i), fmt.Sprint("10.50.0.", 10+i)
		spaces.AddInner(t, space, addr)
		add(&r.inner, space, space, fmt.Sprint(addr, ":", node.DefaultPort))
	}
	for i := range p.alone {
		space, addr := fmt.Sprint("alone", i), fmt.Sprint("10.99.0.", 30+i)
		spaces.Add(t, space, addr)
		add(&r.alone, space, space, fmt.Sprint(addr, ":", node.DefaultPort))
	}
}

// assemble starts all nodes, each with the first one's join string.
func (r *rig) assemble(t *testing.T) {
	begun := time.Now()
	for i, n := range r.nodes {
		if join := n.start(t, r.watchers, r.program, r.join); i == 0 {
			r.join = join
		}
	}
	t.Logf("%d processes started in %s: %d share an address, %d are behind one router, %d have one each",
		len(r.nodes), short(time.Since(begun)), len(r.shared), len(r.inner), len(r.alone))
	took := r.await(t, "everybody sees everybody", patience, sawAll(r.nodes, r.nodes, inState(control.StateAlive)))
	t.Logf("everybody sees everybody alive %s after the last one started", short(took))
	r.healthy(t, "the beginning")
}

// healthy wants every "filch nodes" to list everybody as alive, and no failure since it was asked last.
func (r *rig) healthy(t *testing.T, after string) {
	t.Helper()
	for _, n := range r.nodes {
		all := n.members(t, r.program)
		alive := 0
		for _, m := range all {
			if m.State == control.StateAlive {
				alive++
			} else {
				t.Errorf("after %s %s lists %s as %s", after, n.name, m.Name, m.State)
			}
		}
		if alive != len(r.nodes) {
			t.Errorf("after %s %s lists %d as alive; there are %d", after, n.name, alive, len(r.nodes))
		}
	}
	failed, suspicions := r.unexcused()
	for _, f := range failed {
		t.Errorf("a false failure in %s: %s", after, f)
	}
	t.Logf("after %s: %d of %d alive in all %[3]d tables, %d false failures, %d passing suspicions", after, len(r.nodes), len(r.nodes), len(failed), suspicions)
}

// withoutUDP drops all UDP of some nodes for a while: they stay, over TCP.
func (r *rig) withoutUDP(t *testing.T, d time.Duration) {
	last := func(of []*process) *process { return of[len(of)-1] }
	_, port, err := net.SplitHostPort(last(r.shared).listen)
	if err != nil {
		t.Fatal(err)
	}
	deaf := []*process{last(r.shared), last(r.inner)}
	rules := []string{"-p udp --dport " + port, "-p udp"}
	if len(r.alone) > 1 {
		deaf, rules = append(deaf, last(r.alone)), append(rules, "-p udp")
	}
	for i, n := range deaf {
		spaces.In(t, n.space, "iptables -A INPUT "+rules[i]+" -j DROP")
	}
	<-time.After(d) // nothing is to happen in this time
	r.healthy(t, fmt.Sprintf("%v without UDP at %d nodes", d, len(deaf)))
	for i, n := range deaf {
		spaces.In(t, n.space, "iptables -D INPUT "+rules[i]+" -j DROP")
	}
}

// killed: a node that is killed is failed for all; it comes back as the same, at its old
// address and at a new one.
func (r *rig) killed(t *testing.T) {
	victim := r.alone[0]
	var others []*process
	for _, n := range r.nodes {
		if n != victim {
			others = append(others, n)
		}
	}
	one := []*process{victim}
	r.excuse(func(_, subject string) bool { return subject == victim.name })
	id := ""
	for _, m := range victim.members(t, r.program) {
		if m.Self {
			id = m.ID
		}
	}
	for _, address := range []string{"10.99.0.30", "10.99.0.99"} {
		victim.kill()
		took := r.await(t, "all see the killed node as failed", patience, sawAll(others, one, inState(control.StateFailed)))
		t.Logf("killed with -9: failed for all others after %s", short(took))
		want := inState(control.StateAlive)
		if !strings.HasPrefix(victim.listen, address+":") {
			spaces.In(t, victim.space, "ip addr flush dev eth0")
			spaces.In(t, victim.space, "ip addr add "+address+"/24 dev eth0")
			victim.listen = fmt.Sprint(address, ":", node.DefaultPort)
			want = func(m control.Member) bool {
				return m.State == control.StateAlive && m.ID == id && atAddress(m, victim.listen)
			}
		}
		join := "" // it knows its cluster, and whom it met
		if r.short {
			join = r.join // it has lived for too short a time to have written down whom it met
		}
		victim.start(t, r.watchers, r.program, join)
		took = r.await(t, "the killed node is back", patience, sawAll(others, one, want))
		back := r.await(t, "the killed node sees all", patience, sawAll(one, others, inState(control.StateAlive)))
		t.Logf("restarted from address %s: alive for all others after %s, and they for it %s later", address, short(took), short(back))
		r.healthy(t, "a restart from address "+address)
	}
	r.excuse(nil)
}

// partition cuts the shared namespace off, and heals it.
func (r *rig) partition(t *testing.T, d time.Duration) {
	side := make(map[string]bool)
	for _, n := range r.shared {
		side[n.name] = true
	}
	rest := append(append([]*process(nil), r.inner...), r.alone...)
	r.excuse(func(observer, subject string) bool { return side[observer] != side[subject] })
	begun := time.Now()
	spaces.In(t, "shared", "iptables -A INPUT -i eth0 -j DROP")
	spaces.In(t, "shared", "iptables -A OUTPUT -o eth0 -j DROP")
	failed := inState(control.StateFailed)
	took := r.await(t, "both sides see the other as failed", patience, func(sees map[string]map[string]control.Member) []string {
		return append(sawAll(r.shared, rest, failed)(sees), sawAll(rest, r.shared, failed)(sees)...)
	})
	t.Logf("%d nodes cut off from %d: all of the other side failed for all after %s", len(r.shared), len(rest), short(took))
	<-time.After(d - time.Since(begun)) // how long the partition lasts is given
	spaces.In(t, "shared", "iptables -F")
	took = r.await(t, "the partition is healed", patience, sawAll(r.nodes, r.nodes, inState(control.StateAlive)))
	t.Logf("healed after %v: everybody sees everybody alive after %s", d, short(took))
	r.excuse(nil)
	r.healthy(t, "the partition")
}

// atAddress tells whether a member announces a HOST:PORT.
func atAddress(m control.Member, hostPort string) bool {
	return slices.Contains(control.HostPorts(m.Addrs), hostPort)
}

func short(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) }
