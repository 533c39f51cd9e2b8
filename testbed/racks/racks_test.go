//go:build linux

package racks

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/filchsched/filch/testbed/nodes"
	"github.com/filchsched/filch/testbed/spaces"
)

// roundsVariable is the environment's variable that says how many rounds.
const roundsVariable = "FILCH_RACKS"

// perRound bounds a round.
const perRound = 3 * time.Minute

func roundsOf(t *testing.T) int {
	rounds, _ := strconv.Atoi(os.Getenv(roundsVariable))
	if rounds < 1 {
		t.Skipf("takes root and minutes: make racks, or %s=rounds", roundsVariable)
	}
	return rounds
}

const (
	racks, perRack = 3, 3
	payload        = 64 << 10
	result         = 4 << 10
	takes          = 60 * time.Millisecond
)

// tasksOf is how many tasks the home in a rack has. All of them are long enough for the news of who has work to get around.
func tasksOf(rack int) int { return 600 + 60*rack }

// fewerAcross is by how much less has to cross racks than with a choice by chance.
const fewerAcross = 3

// TestRealNodesStealNearFirst: what crosses racks on real nodes with labels, against the same nodes
// without any idea of where they are.
func TestRealNodesStealNearFirst(t *testing.T) {
	rounds := roundsOf(t)
	spaces.Isolated(t, time.Duration(rounds+1)*perRound, func(t *testing.T, programs []string) {
		var near, blind int64
		for k := range rounds {
			n, took := across(t, programs[0], 2*k, false)
			b, tookBlind := across(t, programs[0], 2*k+1, true)
			near, blind = near+n, blind+b
			t.Logf("round %d: across racks %.2f MB in %v; by chance %.2f MB in %v: %.1f times as much", k,
				float64(n)/1e6, took.Round(time.Millisecond), float64(b)/1e6, tookBlind.Round(time.Millisecond), float64(b)/float64(n))
		}
		t.Logf("in all: across racks %.2f MB, by chance %.2f MB: %.1f times as much", float64(near)/1e6, float64(blind)/1e6, float64(blind)/float64(near))
		if blind < fewerAcross*near {
			t.Errorf("%d bytes cross racks, and %d by chance, not %d times as many", near, blind, fewerAcross)
		}
	}, "../nodes/program")
}

// across has new nodes do the work, and counts the bytes that cross racks.
func across(t *testing.T, program string, run int, blind bool) (bytes int64, took time.Duration) {
	var all []*nodes.Process
	join := ""
	rackOf := func(p *nodes.Process) int {
		for i := range all {
			if all[i] == p {
				return i / perRack
			}
		}
		panic("not one of these")
	}
	for i := range racks * perRack {
		rack := fmt.Sprint("r", i/perRack)
		if blind {
			rack = "all"
		}
		p := nodes.Add(t, run*racks*perRack+i, nodes.OwnMachine(t, program, "--workers", "1", "--label", "zone=z", "--label", "rack="+rack)...)
		join = p.Start(t, join)
		defer p.Kill()
		all = append(all, p)
	}
	nodes.Assemble(t, all, func(a, b *nodes.Process) string {
		if blind || rackOf(a) == rackOf(b) {
			return "rack"
		}
		return "zone"
	})
	for _, p := range all {
		for _, o := range all {
			if rackOf(p) != rackOf(o) {
				spaces.In(t, p.Space, "iptables -A INPUT -s "+o.Addr) // it only counts
			}
		}
	}
	begun := time.Now()
	var replies []<-chan nodes.Reply
	for rack := range racks {
		q := nodes.Request{Payload: payload, Result: result}
		for range tasksOf(rack) {
			q.Takes = append(q.Takes, takes)
		}
		replies = append(replies, all[rack*perRack].Ask(t, q))
	}
	ran := make([][racks]int, racks) // by home and the rack that ran it
	for rack, reply := range replies {
		for _, e := range exact(t, reply, tasksOf(rack)).Ends {
			for _, p := range all {
				if p.Name == e.Value.Node {
					ran[rack][rackOf(p)]++
				}
			}
		}
	}
	took = time.Since(begun)
	for _, p := range all {
		bytes += counted(t, p)
	}
	t.Logf("blind %v: tasks by home's rack and rack that ran them %v", blind, ran)
	return bytes, took
}

// counted sums the bytes that the rules of a namespace have seen.
func counted(t *testing.T, p *nodes.Process) (sum int64) {
	t.Helper()
	out, err := p.In("iptables", "-nvxL", "INPUT").Output()
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		if fields := strings.Fields(line); i > 1 && len(fields) > 1 {
			n, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			sum += n
		}
	}
	return sum
}

// exact waits for a reply and wants one right result for each of n calls.
func exact(t *testing.T, reply <-chan nodes.Reply, n int) nodes.Reply {
	t.Helper()
	var r nodes.Reply
	select {
	case r = <-reply:
	case <-time.After(perRound):
		t.Fatal("the calls do not return")
	}
	seen := make([]int, n)
	for _, e := range r.Ends {
		if seen[e.Index]++; e.Error != "" || e.Value.Sum != nodes.Sum(e.Index) {
			t.Errorf("call %d returned %+v", e.Index, e)
		}
	}
	for i, c := range seen {
		if c != 1 {
			t.Errorf("call %d returned %d times; %s", i, c, r.Error)
		}
	}
	return r
}
