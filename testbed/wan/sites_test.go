//go:build linux

package wan

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/filchsched/filch/testbed/nodes"
	"github.com/filchsched/filch/testbed/spaces"
	"github.com/filchsched/filch/testbed/wan/line"
)

// sizeVariable is the environment's variable that says how much: "short" or "full".
const sizeVariable = "FILCH_WAN"

const whole = 10 * time.Minute

// size tells whether everything is wanted; a test is skipped where nothing is, or where it cannot be had.
func size(t *testing.T) (full bool) {
	t.Helper()
	s := os.Getenv(sizeVariable)
	if s != "short" && s != "full" {
		t.Skipf("takes root and minutes: make wan, or %s=short or full", sizeVariable)
	}
	f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("SKIPPED: long lines need TUN devices: %v", err)
	}
	f.Close()
	return s == "full"
}

// A rig is two sites with a cable between them, and nodes on both.
type rig struct {
	program    string
	cable      *Cable
	sites      map[string]spaces.Site
	west, east []*nodes.Process
	join       string
}

const (
	west, east           = "west", "east"
	westNet, eastNet     = "10.61.0", "10.62.0"
	westCable, eastCable = "10.60.0.1", "10.60.0.2"
	seed                 = 1
)

// build makes the sites and the cable. hidden: what is on the east is behind address translation, and nothing gets in there
// that is not an answer.
func build(t *testing.T, program string, shape line.Shape, hidden bool) *rig {
	t.Helper()
	r := &rig{program: program, sites: map[string]spaces.Site{west: spaces.AddSite(t, west, westNet), east: spaces.AddSite(t, east, eastNet)}}
	cable, err := Lay(End{west, "wan-west", westCable + "/30"}, End{east, "wan-east", eastCable + "/30"}, shape, seed)
	if err != nil {
		t.Fatal(err)
	}
	r.cable = cable
	t.Cleanup(func() {
		there, back := cable.Counts()
		t.Logf("%+v: west to east %+v, back %+v", shape, there, back)
		cable.Close()
	})
	spaces.In(t, east, "ip route add "+westNet+".0/24 via "+westCable)
	if !hidden {
		spaces.In(t, west, "ip route add "+eastNet+".0/24 via "+eastCable)
		return r
	}
	// A port for each peer, made up by chance, so that nobody else can use it either; and nothing for strangers.
	spaces.In(t, east, "iptables -t nat -A POSTROUTING -o wan-east -j MASQUERADE --random-fully")
	for _, chain := range []string{"INPUT", "FORWARD"} {
		spaces.In(t, east, "iptables -A "+chain+" -i wan-east -m conntrack --ctstate NEW,INVALID -j DROP")
	}
	return r
}

// add starts a node on a site; prefix comes before the program.
func (r *rig) add(t *testing.T, site string, workers int, prefix ...string) *nodes.Process {
	t.Helper()
	to, net := &r.west, westNet
	if site == east {
		to, net = &r.east, eastNet
	}
	name, addr := fmt.Sprint(site, len(*to)), fmt.Sprint(net, ".", 10+len(*to))
	r.sites[site].Add(t, name, addr)
	args := append(append([]string(nil), prefix...), r.program, "--workers", fmt.Sprint(workers))
	p := nodes.At(t, name, name, addr, nodes.OwnMachine(t, args[0], args[1:]...)...)
	if join := p.Start(t, r.join); r.join == "" {
		r.join = join
	}
	t.Cleanup(func() { p.Kill() })
	*to = append(*to, p)
	return p
}

func (r *rig) all() []*nodes.Process {
	return append(append([]*nodes.Process(nil), r.west...), r.east...)
}

// run has a node submit calls and wants each to return once, with the right result. It returns how many ran where.
func run(t *testing.T, p *nodes.Process, q nodes.Request) (by map[string]int, took time.Duration) {
	t.Helper()
	begun := time.Now()
	r, ok := nodes.Reply{}, false
	select {
	case r, ok = <-p.Ask(t, q):
	case <-time.After(time.Minute):
		t.Fatalf("%s: %d calls do not return", p.Name, len(q.Takes))
	}
	took = time.Since(begun)
	if !ok || r.Error != "" {
		t.Fatalf("%s: %s", p.Name, r.Error)
	}
	seen := make([]int, len(q.Takes))
	by = make(map[string]int)
	for _, e := range r.Ends {
		by[e.Value.Node]++
		if seen[e.Index]++; e.Error != "" || e.Value.Sum != nodes.Sum(e.Index) {
			t.Errorf("call %d returned %+v", e.Index, e)
		}
	}
	for i, n := range seen {
		if n != 1 {
			t.Errorf("call %d returned %d times", i, n)
		}
	}
	return by, took
}

// sum is how many ran on these.
func sum(by map[string]int, on ...*nodes.Process) (n int) {
	for _, p := range on {
		n += by[p.Name]
	}
	return n
}

func names(of []*nodes.Process) (names []string) {
	for _, p := range of {
		names = append(names, p.Name)
	}
	return names
}

func short(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) }
