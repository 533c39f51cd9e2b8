//go:build linux

package chaos

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/filchsched/filch/testbed/nodes"
)

// A job is what a round has nodes do.
type job struct {
	over     chan struct{} // closed when it is
	diesWith int           // the member that is its home; -1: it has a process of its own
	lost     bool          // its home was killed
	abandon  func()        // kills it, if it has a process of its own
	judge    func(t *testing.T)
}

func isOver(j *job) bool {
	select {
	case <-j.over:
		return true
	default:
		return false
	}
}

// run starts the commands: a "filch run" on the home's machine.
func (r *rig) run(t *testing.T, p *plan, dir string) *job {
	var input, want strings.Builder
	for i, d := range p.tasks {
		fmt.Fprintf(&input, "%d %d\n", i+1, d.Milliseconds())
		fmt.Fprintf(&want, "result of %d is %d\n", i+1, nodes.Sum(i+1))
	}
	log := filepath.Join(dir, "joblog")
	home := r.members[p.home]
	cmd := home.In(r.filch, "run", "-k", "--joblog", log, r.work+" "+dir+" {}")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "FILCH_SOCKET="+home.Socket())
	cmd.Stdin = strings.NewReader(input.String())
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	j := &job{over: make(chan struct{}), diesWith: -1}
	var err error
	go func() {
		err = cmd.Wait()
		close(j.over)
	}()
	j.abandon = func() {
		j.lost = j.lost || !isOver(j)
		cmd.Process.Kill()
	}
	j.judge = func(t *testing.T) {
		t.Logf("commands: %v, by host: %v", len(p.tasks), where(log))
		if j.lost {
			r.sum["runs killed"]++
			return
		}
		if err != nil {
			t.Errorf("filch run: %v\n%s", err, &said)
		}
		if out.String() != want.String() {
			t.Errorf("printed\n%s\nnot\n%s\n%s", &out, &want, &said)
		}
		loggedOnce(t, log, len(p.tasks))
		r.sum["commands with the right result"] += len(p.tasks)
		r.sum["starts of commands of finished runs"] += len(lines(filepath.Join(dir, "started")))
	}
	return j
}

// call has the caller call the function.
func (r *rig) call(t *testing.T, p *plan, dir string) *job {
	home := r.members[p.caller]
	reply := home.Ask(t, nodes.Request{OneByOne: p.oneByOne, Takes: p.calls, Dir: dir})
	j := &job{over: make(chan struct{}), diesWith: p.caller, abandon: func() {}}
	var got nodes.Reply
	ok := false
	go func() {
		got, ok = <-reply
		close(j.over)
	}()
	j.judge = func(t *testing.T) {
		called, returned := perTask(filepath.Join(dir, "called")), perTask(filepath.Join(dir, "returned"))
		if j.lost {
			r.sum["callers killed"]++
			return
		}
		if !ok || got.Error != "" {
			t.Fatalf("the calls from n%d: %s", p.caller, got.Error)
		}
		seen, hosts, again := make([]int, len(p.calls)), make(map[string]int), 0
		for _, e := range got.Ends {
			seen[e.Index]++
			hosts[e.Value.Node]++
			if e.Error != "" || e.Value.Sum != nodes.Sum(e.Index) {
				t.Errorf("call %d returned %+v", e.Index, e)
			}
		}
		for i, n := range seen {
			if n != 1 {
				t.Errorf("call %d returned %d times to its caller", i, n)
			}
			if returned[i] == 0 {
				t.Errorf("call %d has a result and never ran to its end", i)
			}
			again += called[i] - 1
		}
		t.Logf("calls: %d, by host %v; %d began once more", len(p.calls), hosts, again)
		r.sum["calls with the right result"] += len(p.calls)
		r.sum["calls that began once more"] += again
	}
	return j
}

// lines are those of a file; none if it is not there.
func lines(file string) (all []string) {
	b, _ := os.ReadFile(file)
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")[:bytes.Count(b, []byte{'\n'})]
}

// perTask counts a file's lines by the number at their beginning.
func perTask(file string) map[int]int {
	count := make(map[int]int)
	for _, l := range lines(file) {
		number, _, _ := strings.Cut(l, " ")
		if i, err := strconv.Atoi(number); err == nil {
			count[i]++
		}
	}
	return count
}

// loggedOnce fails unless the job log has each task once.
func loggedOnce(t *testing.T, log string, n int) {
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
func logLines(log string) (all [][]string) {
	for i, line := range lines(log) {
		if fields := strings.Split(line, "\t"); i > 0 && len(fields) > 1 {
			all = append(all, fields)
		}
	}
	return all
}

// where counts the tasks of a job log by the host that ran them.
func where(log string) map[string]int {
	hosts := make(map[string]int)
	for _, line := range logLines(log) {
		hosts[line[1]]++
	}
	return hosts
}
