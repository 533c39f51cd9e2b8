//go:build unix

package main

import (
	"encoding/json"
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

	"github.com/filchsched/filch/cmd/filch/parallel"
	"github.com/filchsched/filch/node/control"
)

// startCluster starts nodes n0, n1, … with one core each that run commands for each other, and
// waits until all know all.
func startCluster(t *testing.T, n int, args ...string) []*upProcess {
	t.Helper()
	if testing.Short() {
		t.Skip("real nodes and their leases take minutes")
	}
	base := t.TempDir()
	var nodes []*upProcess
	for i := range n {
		up := append([]string{"--listen", "127.0.0.1:0", "--name", fmt.Sprint("n", i), "--workers", "1", "--accept", "exec"}, args...)
		stdin := ""
		if i > 0 {
			up, stdin = append(up, "--join-file", "-"), nodes[0].join
		}
		nodes = append(nodes, startUp(t, filepath.Join(base, fmt.Sprint(i)), stdin, up...))
	}
	for _, p := range nodes {
		p.until(t, "all know all", func(m map[string]control.Member) bool { return count(m, control.StateAlive) == n })
	}
	return nodes
}

// filchRun is "filch run" as a guest of a node, in a directory.
func (p *upProcess) filchRun(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	c := withoutNodeEnv(filch(t, append([]string{"run", "--socket", p.socket}, args...)...))
	c.Dir = dir
	return c
}

// joblogOf reads a job log.
func joblogOf(t *testing.T, path string) (all []parallel.Entry) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := parallel.ReadJoblog(f, func(e parallel.Entry) { all = append(all, e) }); err != nil {
		t.Fatal(err)
	}
	return all
}

// all3 is a command that ends when three of it run at the same time.
const all3 = `touch began.{}; while test $(ls began.* | wc -l) -lt 3; do sleep 0.02; done; echo {} $GREETING $(pwd) $(umask); echo e{} >&2; exit {}`

func TestARunSpreadsOverNodesWithTheOutputOfOneMachine(t *testing.T) {
	nodes := startCluster(t, 3)
	dir := t.TempDir()
	c := nodes[0].filchRun(t, dir, "-k", "-j1", "--joblog", "log", all3, ":::", "0", "1", "2")
	c.Env = append(c.Env, "GREETING=hello")
	out, errs, code := finish(t, c)
	c = filch(t, "run", "--local", "-k", "-j3", all3, ":::", "0", "1", "2")
	c.Dir = dir
	c.Env = append(c.Env, "GREETING=hello")
	wantOut, wantErrs, wantCode := finish(t, c)
	if out != wantOut || errs != wantErrs || code != wantCode || code != 2 {
		t.Errorf("exit %d\n%s%s\nand alone: exit %d\n%s%s", code, out, errs, wantCode, wantOut, wantErrs)
	}
	var hosts []string
	for _, e := range joblogOf(t, filepath.Join(dir, "log")) {
		hosts = append(hosts, e.Host)
		if (e.Sent > 0) != (e.Host != ":") || e.Received == 0 || e.Exit != int(e.Seq)-1 || e.Start.IsZero() {
			t.Errorf("%+v", e)
		}
	}
	slices.Sort(hosts)
	if !slices.Equal(hosts, []string{":", "n1", "n2"}) {
		t.Errorf("it ran on %q", hosts)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, proofPrefix+"*")); len(left) > 0 {
		t.Errorf("%q is left", left)
	}
}

func TestManyCommandsOverNodesKeepOrderAndOutput(t *testing.T) {
	nodes := startCluster(t, 2)
	dir := t.TempDir()
	var args, want []string
	for i := range 300 {
		args = append(args, strconv.Itoa(i))
		want = append(want, strconv.Itoa(i))
	}
	out, errs, code := finish(t, nodes[0].filchRun(t, dir, append([]string{"-k", "-j2", "sleep 0.01; echo {}; head -c 70000 /dev/zero | tr '\\0' x; echo", ":::"}, args...)...))
	line := strings.Repeat("x", 70000)
	if code != 0 || errs != "" || out != strings.Join(want, "\n"+line+"\n")+"\n"+line+"\n" {
		t.Errorf("exit %d, %d bytes\n%s", code, len(out), errs)
	}
}

func TestWhereARunGoesIsBounded(t *testing.T) {
	nodes := startCluster(t, 3, "--label", "rack=r1")
	dir := t.TempDir()
	hostsOf := func(args ...string) []string {
		t.Helper()
		log := filepath.Join(t.TempDir(), "log")
		out, errs, code := finish(t, nodes[0].filchRun(t, dir, append([]string{"--joblog", log}, args...)...))
		if code != 0 {
			t.Fatalf("%q: exit %d: %s%s", args, code, out, errs)
		}
		var hosts []string
		for _, e := range joblogOf(t, log) {
			hosts = append(hosts, e.Host)
		}
		slices.Sort(hosts)
		return slices.Compact(hosts)
	}
	six := []string{"sleep 0.05; echo {}", ":::", "1", "2", "3", "4", "5", "6"}
	for _, c := range []struct {
		flags []string
		want  []string
	}{
		{[]string{"--on", "n2"}, []string{"n2"}},
		{[]string{"--max-level", "host"}, []string{":"}},
		{[]string{"--avoid", "n1", "--avoid", "n2"}, []string{":"}},
	} {
		if got := hostsOf(append(c.flags, six...)...); !slices.Equal(got, c.want) {
			t.Errorf("%q: it ran on %q, want %q", c.flags, got, c.want)
		}
	}
	for _, c := range []struct {
		flags []string
		want  string
	}{
		{[]string{"--on", "n7"}, `no node "n7"; there are: n0, n1, n2`},
		{[]string{"--max-level", "zone"}, `has no label "zone"`},
		{[]string{"--on", "n1", "-u"}, "--ungroup needs commands that run here"},
		{[]string{"--local"}, "--local keeps commands here"},
	} {
		if out, errs, code := finish(t, nodes[0].filchRun(t, dir, append(c.flags, six...)...)); code != 255 || out != "" || !strings.Contains(errs, c.want) {
			t.Errorf("%q: exit %d: %s%s", c.flags, code, out, errs)
		}
	}
	t.Run("one at a time", func(t *testing.T) {
		_, errs, code := finish(t, nodes[0].filchRun(t, dir, "-j4", "--max-running", "1", "mkdir one || exit 1; sleep 0.02; rmdir one; : {}", ":::", "1", "2", "3", "4", "5", "6"))
		if code != 0 {
			t.Errorf("%d ran beside others: %s", code, errs)
		}
	})
	t.Run("more jobs than the node has cores", func(t *testing.T) {
		const all5 = "touch five.{}; while test $(ls five.* | wc -l) -lt 5; do sleep 0.02; done; rm -f six.{}"
		_, errs, code := finish(t, nodes[0].filchRun(t, dir, "-j5", "--max-level", "host", all5, ":::", "1", "2", "3", "4", "5"))
		if code != 0 {
			t.Errorf("exit %d: %s", code, errs)
		}
	})
	t.Run("where no proof can be written", func(t *testing.T) {
		out, errs, code := finish(t, nodes[0].filchRun(t, "/proc/self", "-k", "-j1", "echo", ":::", "1", "2", "3"))
		if code != 0 || out != "1\n2\n3\n" || !strings.Contains(errs, "this machine only") {
			t.Errorf("exit %d: %s%s", code, out, errs)
		}
	})
}

func TestAnywhereIsAnEmptyDirectoryOnEveryMachine(t *testing.T) {
	nodes := startCluster(t, 2)
	c := nodes[0].filchRun(t, t.TempDir(), "-o", "json", "-j1", "--anywhere", "--env", "A", "--env", "B=b", "pwd; ls -A; echo $A$B$C; sleep 0.3; : {}", ":::", "1", "2", "3", "4", "5", "6")
	c.Env = append(c.Env, "A=a", "C=c")
	out, errs, code := finish(t, c)
	if code != 0 || errs != "" {
		t.Fatalf("exit %d: %s", code, errs)
	}
	dirs := make(map[string]bool)
	hosts := make(map[string]bool)
	for line := range strings.Lines(out) {
		var r struct {
			Host, Stdout string
			Attempts     int
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		f := strings.Split(r.Stdout, "\n")
		if len(f) != 3 || f[1] != "ab" || r.Attempts != 1 {
			t.Errorf("%s", line)
		}
		dirs[f[0]], hosts[r.Host] = true, true
		if _, err := os.Stat(f[0]); err == nil {
			t.Errorf("%s is still there", f[0])
		}
	}
	if len(dirs) != 6 || !hosts[":"] || !hosts["n1"] {
		t.Errorf("in %d directories on %v", len(dirs), hosts)
	}
}

// begin starts a run.
func begin(t *testing.T, run *exec.Cmd) (out, said *tail) {
	t.Helper()
	out, said = new(tail), new(tail)
	run.Stdout, run.Stderr = out, said
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	return out, said
}

// pidsIn waits until so many commands have written their process numbers into a directory.
func pidsIn(t *testing.T, dir string, n int) (pids []int) {
	t.Helper()
	for give := time.Now().Add(deadline / 2); time.Now().Before(give); time.Sleep(10 * time.Millisecond) {
		pids = nil
		files, _ := filepath.Glob(filepath.Join(dir, "pid.*"))
		for _, f := range files {
			b, _ := os.ReadFile(f)
			if pid, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
				pids = append(pids, pid)
			}
		}
		if len(pids) >= n {
			return pids
		}
	}
	t.Fatalf("%d of %d commands began", len(pids), n)
	return nil
}

// allGone waits until no process is left.
func allGone(t *testing.T, pids []int) {
	t.Helper()
	for give := time.Now().Add(deadline / 2); ; time.Sleep(10 * time.Millisecond) {
		pids = slices.DeleteFunc(pids, func(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) })
		if len(pids) == 0 {
			return
		}
		if time.Now().After(give) {
			t.Fatalf("%d still run", pids)
		}
	}
}

func TestNothingOfARunOutlivesIt(t *testing.T) {
	nodes := startCluster(t, 3)
	for _, c := range []struct {
		name   string
		signal []os.Signal
		code   int
	}{
		{"killed", []os.Signal{syscall.SIGKILL}, -1},
		{"terminated", []os.Signal{syscall.SIGTERM}, 143},
		{"interrupted twice", []os.Signal{syscall.SIGINT, syscall.SIGINT}, 130},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			run := nodes[0].filchRun(t, dir, "-j1", "echo $$ > pid.{}; exec sleep 1000", ":::", "1", "2", "3", "4", "5")
			said := new(tail)
			run.Stderr = said
			if err := run.Start(); err != nil {
				t.Fatal(err)
			}
			pids := pidsIn(t, dir, 3)
			for k, s := range c.signal {
				run.Process.Signal(s)
				if k+1 < len(c.signal) { // they would be taken for one
					for give := time.Now().Add(deadline / 2); !strings.Contains(said.String(), "interrupt again") && time.Now().Before(give); {
						time.Sleep(10 * time.Millisecond)
					}
				}
			}
			run.Wait()
			if code := run.ProcessState.ExitCode(); code != c.code {
				t.Errorf("exit %d, want %d: %s", code, c.code, said)
			}
			allGone(t, pids)
			if left, _ := filepath.Glob(filepath.Join(dir, proofPrefix+"*")); c.code > 0 && len(left) > 0 {
				t.Errorf("%q is left", left)
			}
		})
	}
}

func TestARunThatIsInterruptedWaitsForWhatRunsEverywhere(t *testing.T) {
	nodes := startCluster(t, 3)
	dir := t.TempDir()
	run := nodes[0].filchRun(t, dir, "-j1", "-k", "--joblog", "log", "echo $$ > pid.{}; while test ! -e go; do sleep 0.02; done; echo {}", ":::", "1", "2", "3", "4", "5")
	out, said := begin(t, run)
	pidsIn(t, dir, 3)
	run.Process.Signal(syscall.SIGINT)
	for give := time.Now().Add(deadline / 2); !strings.Contains(said.String(), "interrupted") && time.Now().Before(give); {
		time.Sleep(10 * time.Millisecond)
	}
	os.WriteFile(filepath.Join(dir, "go"), nil, 0o600)
	err := run.Wait()
	if run.ProcessState.ExitCode() != 130 {
		t.Errorf("%v; %s", err, said)
	}
	if lines := strings.Fields(out.String()); len(lines) != 3 || len(joblogOf(t, filepath.Join(dir, "log"))) != 3 {
		t.Errorf("of three that ran these ended: %q", lines)
	}
}

func TestHaltEndsWhatRunsOnPeersToo(t *testing.T) {
	nodes := startCluster(t, 3)
	dir := t.TempDir()
	_, errs, code := finish(t, nodes[0].filchRun(t, dir, "-j1", "--halt", "now,fail=1",
		"echo $$ > pid.{}; while test $(ls pid.* | wc -l) -lt 3; do sleep 0.02; done; test {} = 2 && exit 7; exec sleep 1000", ":::", "1", "2", "3", "4"))
	if code != 7 || !strings.Contains(errs, "halting") {
		t.Errorf("exit %d: %s", code, errs)
	}
	allGone(t, pidsIn(t, dir, 3))
}

func TestARunWhoseNodeIsKilledGoesOnAloneAndRunsNothingTwice(t *testing.T) {
	nodes := startCluster(t, 1)
	dir := t.TempDir()
	run := nodes[0].filchRun(t, dir, "-j1", "-k", "--max-level", "host", "echo {} >> ran; echo $$ > pid.{}; while test {} = 1 -a ! -e go; do sleep 0.02; done; echo {}", ":::", "1", "2", "3")
	out, said := begin(t, run)
	pidsIn(t, dir, 1)
	nodes[0].Process.Kill()
	nodes[0].waited()
	for give := time.Now().Add(deadline / 2); !strings.Contains(said.String(), "going on alone") && time.Now().Before(give); {
		time.Sleep(10 * time.Millisecond)
	}
	os.WriteFile(filepath.Join(dir, "go"), nil, 0o600)
	err := run.Wait()
	ran, _ := os.ReadFile(filepath.Join(dir, "ran"))
	if err != nil || out.String() != "1\n2\n3\n" || string(ran) != "1\n2\n3\n" {
		t.Errorf("%v: %q; these ran: %q\n%s", err, out, ran, said)
	}
}

// A peer whose way to the run's home is gone cannot deliver; its commands end before home starts them again.
func TestCommandsOnPeersOfANodeThatIsKilledComeBackAndNeverRunTwiceAtATime(t *testing.T) {
	if _, err := exec.LookPath("flock"); err != nil {
		t.Skip(err)
	}
	nodes := startCluster(t, 3)
	dir := t.TempDir()
	run := nodes[0].filchRun(t, dir, "-j1", "-k", "flock -n -E 99 lock.{} sh -c 'echo $$ > pid.{}; while test ! -e go; do sleep 0.02; done; echo {}'", ":::", "1", "2", "3", "4")
	out, said := begin(t, run)
	elsewhere := pidsIn(t, dir, 3)
	nodes[0].Process.Kill()
	nodes[0].waited()
	for give := time.Now().Add(deadline / 2); !strings.Contains(said.String(), "going on alone") && time.Now().Before(give); {
		time.Sleep(10 * time.Millisecond)
	}
	// One of the three runs here and goes on; the others end with their lease.
	for give := time.Now().Add(deadline / 2); len(elsewhere) > 1 && time.Now().Before(give); time.Sleep(10 * time.Millisecond) {
		elsewhere = slices.DeleteFunc(elsewhere, func(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) })
	}
	os.WriteFile(filepath.Join(dir, "go"), nil, 0o600)
	err := run.Wait()
	if err != nil || out.String() != "1\n2\n3\n4\n" {
		t.Errorf("%v: %q\n%s", err, out, said)
	}
}

func TestRetriesTimeOutsAndOutputsOfFailuresAreAsAtHome(t *testing.T) {
	nodes := startCluster(t, 2)
	dir := t.TempDir()
	out, errs, code := finish(t, nodes[0].filchRun(t, dir, "-k", "--on", "n1", "--retries", "2", "--timeout", "2", "--joblog", "log", "{}", ":::",
		"echo x >> tries; echo $(wc -l < tries); test $(wc -l < tries) = 2", "echo late; exec sleep 1000", "kill -9 $$; :", "no-such-program", "echo out; echo err >&2; exit 3"))
	if code != 4 || out != "2\nlate\nout\n" {
		t.Errorf("exit %d: %q", code, out)
	}
	if !strings.Contains(errs, "task 2 ended after 2s, its time-out: echo late") || !strings.Contains(errs, "no-such-program") || !strings.Contains(errs, "err\n") {
		t.Errorf("%s", errs)
	}
	ends := make(map[uint64][2]int)
	for _, e := range joblogOf(t, filepath.Join(dir, "log")) {
		ends[e.Seq] = [2]int{e.Exit, e.Signal}
	}
	for seq, want := range map[uint64][2]int{1: {0, 0}, 2: {-1, 15}, 3: {0, 9}, 4: {127, 0}, 5: {3, 0}} {
		if ends[seq] != want {
			t.Errorf("task %d: exit and signal %v, want %v", seq, ends[seq], want)
		}
	}
}

func TestWithoutANodeARunIsAlone(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none.sock")
	c := withoutNodeEnv(filch(t, "run", "-k", "echo", ":::", "1", "2"), "FILCH_SOCKET="+none)
	if out, errs, code := finish(t, c); code != 0 || out != "1\n2\n" || errs != "" {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	for _, flags := range [][]string{{"--on", "n1"}, {"--require", "a=b"}, {"--anywhere"}} {
		c := withoutNodeEnv(filch(t, append(append([]string{"run"}, flags...), "echo", ":::", "1")...), "FILCH_SOCKET="+none)
		if out, errs, code := finish(t, c); code != 255 || out != "" || !strings.Contains(errs, "filch up") {
			t.Errorf("%q: exit %d: %s%s", flags, code, out, errs)
		}
	}
	if out, errs, code := finish(t, withoutNodeEnv(filch(t, "run", "--socket", none, "echo", ":::", "1"))); code != 255 || out != "" || !strings.Contains(errs, "no node") {
		t.Errorf("a node that was named: exit %d: %s%s", code, out, errs)
	}
}

// An input that no command can be given fails at once with its reason, and not as a task whose description never
// arrives at the node that is to run it.
func TestAnInputThatNoCommandCanBeGivenFailsAtOnceOnAPeerToo(t *testing.T) {
	nodes := startCluster(t, 2)
	run := nodes[0].filchRun(t, t.TempDir(), "-k", "--on", "n1", "--joblog", "log", "echo")
	run.Stdin = strings.NewReader("a\x00b\nc\n")
	out, errs, code := finish(t, run)
	if code != 1 || out != "c\n" || !strings.Contains(errs, "task 1: the input contains a NUL byte") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	if log := joblogOf(t, filepath.Join(run.Dir, "log")); len(log) != 2 {
		t.Errorf("the log has %+v", log)
	}
}

// Where there is no room for what peers send, a run fails and says so, as it does for what runs here.
func TestARunWithoutRoomForWhatPeersSendFails(t *testing.T) {
	nodes := startCluster(t, 2)
	run := nodes[0].filchRun(t, t.TempDir(), "-k", "--on", "n1", "head -c 20000000 /dev/zero; : {}", ":::", "1", "2")
	run.Env = append(run.Env, "TMPDIR=/nonexistent/for/outputs")
	_, errs, code := finish(t, run)
	if code != 255 || !strings.Contains(errs, "cannot be kept (free some space") || !strings.Contains(errs, "/nonexistent/for/outputs") {
		t.Errorf("exit %d\n%s", code, errs)
	}
}
