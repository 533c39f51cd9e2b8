//go:build linux

package racks

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/filchsched/filch/testbed/nodes"
	"github.com/filchsched/filch/testbed/spaces"
)

// TestRealNodesShare: the one task of a home, and an owner's own, do not wait behind a thousand
// of another home's.
func TestRealNodesShare(t *testing.T) {
	rounds := roundsOf(t)
	spaces.Isolated(t, time.Duration(rounds+1)*perRound, func(t *testing.T, programs []string) {
		for k := range rounds {
			shares(t, programs[0], k)
		}
	}, "../nodes/program")
}

const (
	shareNodes = 4
	workers    = 2
	manyTasks  = 1000
	ownTasks   = 40
)

// shares has a home with a thousand tasks keep all nodes busy, and looks at who else gets to run. The bounds
// are loose: n1's task is next on a core of its own node; one that n1 may not run is asked for by somebody within about a second of
// work; what n2 has itself gets at least about half of its cores.
func shares(t *testing.T, program string, run int) {
	var all []*nodes.Process
	join := ""
	for i := range shareNodes {
		p := nodes.Add(t, run*shareNodes+i, program, "--workers", strconv.Itoa(workers))
		join = p.Start(t, join)
		defer p.Kill()
		all = append(all, p)
	}
	nodes.Assemble(t, all, nil)
	dir := t.TempDir()
	request := func(n int) nodes.Request {
		return nodes.Request{Takes: slices.Repeat([]time.Duration{takes}, n)}
	}
	q := request(manyTasks)
	q.Dir = dir
	manyReply := all[0].Ask(t, q)
	begun(t, dir, 100) // everybody has work by now
	one := finish(t, all[1].Ask(t, request(1)), 1)
	begun(t, dir, 200)
	q = request(1)
	q.Avoid = []string{all[1].Name}
	away := finish(t, all[1].Ask(t, q), 1)
	begun(t, dir, 300)
	q = request(ownTasks)
	q.Local = true
	own := finish(t, all[2].Ask(t, q), ownTasks)
	many := finish(t, manyReply, manyTasks)
	for _, b := range []struct {
		name      string
		of        bag
		all, here int // of the other home's tasks that may begin before the last of these, everywhere and on its node
	}{
		{"1000 tasks of n0", many, manyTasks, manyTasks},
		{"1 task of n1", one, 2 * shareNodes * workers, 2 * workers},
		{"1 task of n1, not there", away, manyTasks / 2, manyTasks / 4},
		{"40 tasks of n2, there", own, manyTasks / 2, ownTasks + 4*workers},
	} {
		first, mean, last := b.of.waits()
		all, here := many.between(b.of, ""), many.between(b.of, b.of.ends[0].Value.Node)
		t.Logf("%-23s first begin after %v, mean %v, last %v; before that began %d of n0's, %d of them on that node", b.name, first, mean, last, all, here)
		if all > b.all || here > b.here {
			t.Errorf("%s: %d of another home's began before, %d of them on that node; at most %d and %d may", b.name, all, here, b.all, b.here)
		}
	}
}

// A bag is what became of a request, by begin.
type bag struct {
	submitted time.Time
	ends      []nodes.End
}

func finish(t *testing.T, reply <-chan nodes.Reply, n int) bag {
	t.Helper()
	r := exact(t, reply, n)
	slices.SortFunc(r.Ends, func(a, b nodes.End) int { return a.Value.Begun.Compare(b.Value.Begun) })
	return bag{r.Submitted, r.Ends}
}

func (b bag) waits() (first, mean, last time.Duration) {
	var sum time.Duration
	for _, e := range b.ends {
		sum += e.Value.Begun.Sub(b.submitted)
	}
	wait := func(k int) time.Duration { return b.ends[k].Value.Begun.Sub(b.submitted).Round(time.Millisecond) }
	return wait(0), (sum / time.Duration(len(b.ends))).Round(time.Millisecond), wait(len(b.ends) - 1)
}

// between counts the tasks of b that began while another bag waited, on a node or on any.
func (b bag) between(other bag, node string) (n int) {
	last := other.ends[len(other.ends)-1].Value.Begun
	for _, e := range b.ends {
		if at := e.Value.Begun; at.After(other.submitted) && at.Before(last) && (node == "" || e.Value.Node == node) {
			n++
		}
	}
	return n
}

// begun waits until so many calls have left their trace.
func begun(t *testing.T, dir string, n int) {
	t.Helper()
	for late := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) { // no event tells it
		b, _ := os.ReadFile(filepath.Join(dir, "called"))
		if strings.Count(string(b), "\n") >= n {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("less than %d calls have begun", n)
		}
	}
}
