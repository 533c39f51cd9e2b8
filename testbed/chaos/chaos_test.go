//go:build linux

package chaos

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

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
)

// TestChaos: commands are executed with the right result, one copy at a time, whatever happens to nodes.
func TestChaos(t *testing.T) {
	rounds, _ := strconv.Atoi(os.Getenv(roundsVariable))
	if rounds < 1 {
		t.Skipf("takes root and minutes: make chaos, or %s=rounds", roundsVariable)
	}
	seed, err := strconv.ParseUint(os.Getenv(seedVariable), 10, 64)
	if err != nil {
		seed = uint64(time.Now().UnixNano()) % 1e6
	}
	spaces.Isolated(t, time.Duration(rounds+1)*perRound, func(t *testing.T, programs []string) {
		r := &rig{work: programs[1]}
		join := ""
		for i := range members {
			m := newMember(t, programs[0], i)
			join = m.start(t, join)
			r.members = append(r.members, m)
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("%s said:\n%s", m.name, &m.said)
				}
			})
		}
		r.join = join
		for k := range uint64(rounds) {
			p := newPlan(seed + k)
			t.Run(fmt.Sprint("seed ", p.seed), func(t *testing.T) { r.round(t, p) })
			if t.Failed() {
				t.Fatalf("again with %s=1 %s=%d", roundsVariable, seedVariable, p.seed)
			}
		}
	}, "../../cmd/filch", "./work")
}

// A rig is the cluster.
type rig struct {
	work    string
	members []*member
	join    string
}

func (r *rig) round(t *testing.T, p *plan) {
	t.Log(p)
	dir := filepath.Join(t.TempDir(), fmt.Sprint("round", p.seed))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	r.assemble(t)
	var input, want strings.Builder
	for i, d := range p.tasks {
		fmt.Fprintf(&input, "%d %d\n", i+1, d.Milliseconds())
		fmt.Fprintf(&want, "result of %d is %d\n", i+1, result(strconv.Itoa(i+1)))
	}
	home := r.members[p.home]
	log := filepath.Join(dir, "joblog")
	cmd := home.command("run", "-k", "--joblog", log, r.work+" "+dir+" {}")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "FILCH_SOCKET="+home.socket())
	cmd.Stdin = strings.NewReader(input.String())
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	err := r.inflict(t, p, cmd, ended)
	t.Logf("took %v; %s", time.Since(begun).Round(time.Millisecond), r.where(log))
	if p.abandoned() {
		r.nothingLeft(t, dir, settle)
		r.neverTwice(t, dir)
		return
	}
	if err != nil {
		t.Errorf("filch run: %v\n%s", err, &said)
	}
	if out.String() != want.String() {
		t.Errorf("printed\n%s\nnot\n%s\n%s", &out, &want, &said)
	}
	r.nothingLeft(t, dir, settle)
	r.neverTwice(t, dir)
	r.loggedOnce(t, log, len(p.tasks))
}

// inflict does what the plan says, and returns what filch run ended with. Faults whose time has not come by
// then do not come; those under way are taken back.
func (r *rig) inflict(t *testing.T, p *plan, job *exec.Cmd, ended chan error) error {
	type trouble struct {
		next       time.Time // when it begins, or ends
		lasts      time.Duration
		begin, end func()
		begun      bool
	}
	var all []*trouble
	now := time.Now()
	for _, f := range p.faults {
		begin, end := r.of(t, f, job)
		all = append(all, &trouble{next: now.Add(f.at), lasts: f.lasts, begin: begin, end: end})
	}
	late := time.After(perRound)
	for {
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
				first.begun, first.next = true, first.next.Add(first.lasts)
				first.begin()
				continue
			}
			first.end()
			all = slices.DeleteFunc(all, func(f *trouble) bool { return f == first })
		case err := <-ended:
			for _, f := range all {
				if f.begun {
					f.end()
				}
			}
			return err
		case <-late:
			job.Process.Kill()
			t.Fatal("the job hangs")
		}
	}
}

// of is how a fault begins and how it ends.
func (r *rig) of(t *testing.T, f fault, job *exec.Cmd) (begin, end func()) {
	a, b := r.members[f.a], r.members[f.b]
	switch f.kind {
	case killed:
		return a.kill, func() { a.start(t, r.join) }
	case frozen:
		return func() { a.signal(t, syscall.SIGSTOP) }, func() { a.signal(t, syscall.SIGCONT) }
	case apart:
		return func() { a.cut(t, b); b.cut(t, a) }, func() { a.mend(t, b); b.mend(t, a) }
	case oneWay:
		return func() { a.cut(t, b) }, func() { a.mend(t, b) }
	}
	return func() { job.Process.Kill() }, func() {}
}

// assemble waits until all members see all alive.
func (r *rig) assemble(t *testing.T) {
	t.Helper()
	late := time.Now().Add(time.Minute)
	for {
		whole := true
		for _, m := range r.members {
			out, err := m.command("nodes", "--socket", m.socket(), "--output", "json").Output()
			whole = whole && err == nil && strings.Count(string(out), `"alive"`) == members
		}
		if whole {
			return
		}
		if time.Now().After(late) {
			t.Fatal("the members do not find each other any more")
		}
		time.Sleep(100 * time.Millisecond) // nothing tells when three processes agree
	}
}

// nothingLeft fails if a process with the round's directory among its arguments lives on.
func (r *rig) nothingLeft(t *testing.T, dir string, patience time.Duration) {
	t.Helper()
	late := time.Now().Add(patience)
	for {
		left := with(dir)
		if len(left) == 0 {
			return
		}
		if time.Now().After(late) {
			t.Errorf("left running: %v", left)
			return
		}
		time.Sleep(50 * time.Millisecond) // the end of somebody else's child is no event here
	}
}

// with lists the processes with text among their arguments.
func with(text string) (found []string) {
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range all {
		if b, err := os.ReadFile(f); err == nil && bytes.Contains(b, []byte(text)) {
			found = append(found, strings.TrimSpace(string(bytes.ReplaceAll(b, []byte{0}, []byte{' '}))))
		}
	}
	return found
}

// neverTwice fails if two copies of a command ran at once.
func (r *rig) neverTwice(t *testing.T, dir string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "twice"))
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("ran twice at the same time: tasks %s (%v)", strings.Fields(string(b)), err)
	}
}

// loggedOnce fails unless the job log has each task once.
func (r *rig) loggedOnce(t *testing.T, log string, n int) {
	t.Helper()
	seen := make(map[string]int)
	for _, line := range logLines(log) {
		seen[line[0]]++
	}
	for i := range n {
		if c := seen[strconv.Itoa(i+1)]; c != 1 {
			t.Errorf("task %d is %d times in the job log", i+1, c)
		}
	}
}

// logLines are the fields of the job log's lines.
func logLines(log string) (lines [][]string) {
	b, _ := os.ReadFile(log)
	for i, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		if fields := strings.Split(line, "\t"); i > 0 && len(fields) > 1 {
			lines = append(lines, fields)
		}
	}
	return lines
}

// where counts the tasks by the host that ran them.
func (r *rig) where(log string) string {
	hosts := make(map[string]int)
	for _, line := range logLines(log) {
		hosts[line[1]]++
	}
	return fmt.Sprintf("tasks by host: %v", hosts)
}

// result is what the program work prints for a task: FNV-1a of its name.
func result(task string) uint32 {
	h := uint32(2166136261)
	for _, b := range []byte(task) {
		h = (h ^ uint32(b)) * 16777619
	}
	return h
}
