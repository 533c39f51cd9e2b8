//go:build linux

package chaos

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/filchsched/filch/testbed/nodes"
	"github.com/filchsched/filch/testbed/spaces"
)

// The environment: how many rounds, and the seed of the first one.
const (
	roundsVariable = "FILCH_CHAOS"
	seedVariable   = "FILCH_CHAOS_SEED"
)

const (
	// perRound bounds a round: a frozen node, two leases, and the work.
	perRound = 3 * time.Minute
	// settle is how long what a killed home has left may live: a lease, a look at it, and the grace.
	settle = 15 * time.Second
	// lapse is how long the children of a killed node may live: the supervisor's grace, and some.
	lapse = 5 * time.Second
	// duePatience is how long it may take until a node lends something on, or has work; where it comes to nothing it is not killed.
	duePatience = 10 * time.Second
)

// TestChaos: commands are executed with the right result, one copy at a time, whatever happens to nodes.
func TestChaos(t *testing.T) {
	chaos(t, false, "../../cmd/filch", "./work")
}

// TestChaosFunctions: commands and functions at the same time, on nodes that know the functions.
func TestChaosFunctions(t *testing.T) {
	chaos(t, true, "../../cmd/filch", "./work", "../nodes/program")
}

func chaos(t *testing.T, functions bool, packages ...string) {
	rounds, _ := strconv.Atoi(os.Getenv(roundsVariable))
	if rounds < 1 {
		t.Skipf("takes root and minutes: make chaos, or %s=rounds", roundsVariable)
	}
	seed, err := strconv.ParseUint(os.Getenv(seedVariable), 10, 64)
	if err != nil {
		seed = uint64(time.Now().UnixNano()) % 1e6
	}
	spaces.Isolated(t, time.Duration(rounds+1)*perRound, func(t *testing.T, programs []string) {
		r := &rig{filch: programs[0], work: programs[1], sum: make(map[string]int)}
		start := []string{programs[0], "up", "--no-mdns", "--accept", "exec", "--workers", "2"}
		if functions {
			start = []string{programs[2], "--workers", "2"}
		}
		for i := range members {
			m := nodes.Add(t, i, start...)
			r.join = m.Start(t, r.join)
			r.members = append(r.members, m)
		}
		defer func() {
			for _, k := range slices.Sorted(maps.Keys(r.sum)) {
				t.Logf("sum: %7d %s", r.sum[k], k)
			}
		}()
		for k := range uint64(rounds) {
			p := newPlan(seed+k, functions)
			t.Run(fmt.Sprint("seed ", p.seed), func(t *testing.T) { r.round(t, p) })
			if t.Failed() {
				t.Fatalf("again with %s=1 %s=%d", roundsVariable, seedVariable, p.seed)
			}
		}
	}, packages...)
}

// A rig is the cluster.
type rig struct {
	filch, work string
	members     []*nodes.Process
	join        string
	sum         map[string]int // of what happened, over all rounds
}

func (r *rig) round(t *testing.T, p *plan) {
	t.Log(p)
	dir := filepath.Join(t.TempDir(), fmt.Sprint("round", p.seed))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	nodes.Assemble(t, r.members, nil)
	if p.cut {
		home, caller := r.members[p.home], r.members[p.caller]
		home.Cut(t, caller)
		caller.Cut(t, home)
	}
	begun := time.Now()
	jobs := []*job{r.run(t, p, dir)}
	if len(p.calls) > 0 {
		jobs = append(jobs, r.call(t, p, dir))
	}
	r.inflict(t, p, jobs)
	t.Logf("took %v", time.Since(begun).Round(time.Millisecond))
	r.nothingLeft(t, dir, settle)
	r.neverTwice(t, dir)
	for _, j := range jobs {
		j.judge(t)
	}
	r.still(t)
	r.sum["rounds"]++
}

// A trouble is a fault in a round.
type trouble struct {
	next       time.Time // when it begins, or ends
	lasts      time.Duration
	begin, end func()
	begun      bool
}

// inflict does what the plan says until all jobs are over. Faults whose time has not come by then do not come;
// those under way are taken back.
func (r *rig) inflict(t *testing.T, p *plan, jobs []*job) {
	var all []*trouble
	now := time.Now()
	for _, f := range p.faults {
		begin, end := r.of(t, f, jobs)
		all = append(all, &trouble{next: now.Add(f.at), lasts: f.lasts, begin: begin, end: end})
	}
	if p.cut {
		home, caller := r.members[p.home], r.members[p.caller]
		all = append(all, &trouble{begun: true, next: now.Add(perRound / 2), end: func() { home.Mend(t, caller); caller.Mend(t, home) }})
	}
	defer func() {
		for _, f := range all {
			if f.begun {
				f.end()
			}
		}
	}()
	late := time.After(perRound)
	for _, j := range jobs {
		for !isOver(j) {
			var alarm <-chan time.Time
			var first *trouble
			for _, f := range all {
				if first == nil || f.next.Before(first.next) {
					first = f
				}
			}
			if first != nil {
				alarm = time.After(time.Until(first.next))
			}
			select {
			case <-alarm:
				if !first.begun {
					first.begun, first.next = true, time.Now().Add(first.lasts)
					first.begin()
					continue
				}
				first.end()
				all = slices.DeleteFunc(all, func(f *trouble) bool { return f == first })
			case <-j.over:
			case <-late:
				for _, j := range jobs {
					j.abandon()
				}
				t.Fatal("a job hangs")
			}
		}
	}
}

// of is how a fault begins and how it ends.
func (r *rig) of(t *testing.T, f fault, jobs []*job) (begin, end func()) {
	a, b := r.members[f.a], r.members[f.b]
	tell := func(begin func()) func() { return func() { r.sum[f.kind.String()]++; begin() } }
	switch f.kind {
	case killed:
		return tell(func() { r.kill(t, f.a, jobs) }), func() { a.Start(t, r.join) }
	case middle, atWork:
		due, dead := r.lends, false
		if f.kind == atWork {
			due = r.works
		}
		return func() {
				if dead = r.comesTo(due(t, a), jobs); dead {
					r.sum[f.kind.String()]++
					r.kill(t, f.a, jobs)
				}
			}, func() {
				if dead {
					a.Start(t, r.join)
				}
			}
	case frozen:
		return tell(func() { a.Signal(t, syscall.SIGSTOP) }), func() { a.Signal(t, syscall.SIGCONT) }
	case apart:
		return tell(func() { a.Cut(t, b); b.Cut(t, a) }), func() { a.Mend(t, b); b.Mend(t, a) }
	case oneWay:
		return tell(func() { a.Cut(t, b) }), func() { a.Mend(t, b) }
	}
	return tell(jobs[0].abandon), func() {}
}

// kill kills a member, and with it the jobs whose home it is, and sees that its children end.
func (r *rig) kill(t *testing.T, i int, jobs []*job) {
	for _, j := range jobs {
		if !isOver(j) && j.diesWith == i {
			j.lost = true
		}
	}
	below := r.members[i].Kill()
	r.sum["processes below killed nodes"] += len(below)
	r.sum["killed nodes"]++
	for late := time.Now().Add(lapse); len(nodes.Alive(below)) > 0; time.Sleep(20 * time.Millisecond) { // they are not ours to wait for
		if time.Now().After(late) {
			t.Errorf("n%d was killed, and of its %d processes are left: %v", i, len(below), nodes.Alive(below))
			return
		}
	}
}

// lends tells whether a node has handed on what it holds for others since this was called. It is nobody's home.
func (r *rig) lends(t *testing.T, m *nodes.Process) func() bool {
	before, err := m.Total(t, "granted")
	return func() bool {
		now, errNow := m.Total(t, "granted")
		return err == nil && errNow == nil && now > before
	}
}

// works tells whether a node runs a long task.
func (r *rig) works(_ *testing.T, m *nodes.Process) func() bool {
	long := fmt.Sprint(" ", longTask.Milliseconds())
	return func() bool {
		return slices.ContainsFunc(nodes.Alive(m.Below()), func(line string) bool { return strings.Contains(line, long) })
	}
}

// comesTo waits until something is so, and tells whether it came to that while there were jobs.
func (r *rig) comesTo(so func() bool, jobs []*job) bool {
	for late := time.Now().Add(duePatience); time.Now().Before(late); time.Sleep(5 * time.Millisecond) { // no event tells it
		if so() {
			return true
		}
		if !slices.ContainsFunc(jobs, func(j *job) bool { return !isOver(j) }) {
			break
		}
	}
	r.sum["middles that lent nothing, and peers that got no work"]++
	return false
}
