//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/filchsched/filch/gossip/identity"
	"github.com/filchsched/filch/node/control"
)

// joiningRun is "filch run" on a machine without a node, with an empty home and an empty directory for what is
// temporary.
func joiningRun(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	base := t.TempDir()
	for _, d := range []string{"home", "tmp", "work"} {
		if err := os.Mkdir(filepath.Join(base, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	c := withoutNodeEnv(filch(t, append([]string{"run"}, args...)...),
		"HOME="+base+"/home", "TMPDIR="+base+"/tmp", "FILCH_DATA_DIR="+base+"/none", "FILCH_LISTEN=127.0.0.1:0")
	c.Dir = base + "/work"
	return c
}

// nothingLeft tells what a run has left behind.
func nothingLeft(t *testing.T, c *exec.Cmd) {
	t.Helper()
	for _, d := range []string{"home", "tmp", "work"} {
		if left, err := os.ReadDir(filepath.Join(c.Dir, "..", d)); err != nil || len(left) > 0 {
			t.Errorf("in %s are left %v, %v", d, left, err)
		}
	}
}

// joinFile writes a node's join string into a file.
func (p *upProcess) joinFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "join")
	if err := os.WriteFile(path, []byte(p.join+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// guestsLeave waits until a node knows that so many guests have left, and of nobody else beside the nodes.
func (p *upProcess) guestsLeave(t *testing.T, nodes, guests int) {
	t.Helper()
	p.until(t, "the guests have left", func(m map[string]control.Member) bool {
		states := make(map[string]int)
		for _, one := range m { // whoever leaves at once is not asked for its name any more
			states[one.State]++
		}
		return states[control.StateAlive] == nodes && states[control.StateLeft] == guests && len(m) == nodes+guests
	})
}

// A machine without a node becomes a member for the length of a run, and no trace is left but that it has left.
func TestARunJoinsForItsLengthAndLeaves(t *testing.T) {
	nodes := startCluster(t, 2)
	log := filepath.Join(t.TempDir(), "log")
	// Ends when three run at the same time: here and on both nodes.
	together := t.TempDir()
	script := "touch " + together + "/{}; while test $(ls " + together + " | wc -l) -lt 3; do sleep 0.02; done; echo {}; echo e{} >&2; exit {}"
	c := joiningRun(t, "--join-file", nodes[0].joinFile(t), "--anywhere", "-j1", "-k", "--joblog", log, script, ":::", "0", "1", "2")
	out, errs, code := finish(t, c)
	if out != "0\n1\n2\n" || errs != "e0\ne1\ne2\n" || code != 2 {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	var hosts []string
	for _, e := range joblogOf(t, log) {
		hosts = append(hosts, e.Host)
	}
	slices.Sort(hosts)
	if !slices.Equal(hosts, []string{":", "n0", "n1"}) {
		t.Errorf("it ran on %q", hosts)
	}
	nothingLeft(t, c)
	for _, p := range nodes {
		p.guestsLeave(t, 2, 1)
	}
	t.Run("told by the environment, on one node only", func(t *testing.T) {
		c := joiningRun(t, "--anywhere", "--on", "n1", "-k", "--joblog", log, "echo", ":::", "a", "b")
		c.Env = append(c.Env, "FILCH_JOIN="+nodes[0].join)
		out, errs, code := finish(t, c)
		if out != "a\nb\n" || errs != "" || code != 0 {
			t.Errorf("exit %d\n%s%s", code, out, errs)
		}
		for _, e := range joblogOf(t, log) {
			if e.Host != "n1" {
				t.Errorf("it ran on %q", e.Host)
			}
		}
		nodes[0].guestsLeave(t, 2, 2)
	})
	t.Run("interrupted", func(t *testing.T) {
		pids := t.TempDir()
		c := joiningRun(t, "--join-file", nodes[0].joinFile(t), "--anywhere", "-j1", "echo $$ > "+pids+"/pid.{}; exec sleep 1000", ":::", "1", "2", "3")
		_, said := begin(t, c)
		running := pidsIn(t, pids, 3)
		c.Process.Signal(syscall.SIGTERM)
		c.Wait()
		if code := c.ProcessState.ExitCode(); code != 143 {
			t.Errorf("exit %d: %s", code, said)
		}
		allGone(t, running)
		nothingLeft(t, c)
		nodes[0].guestsLeave(t, 2, 3)
	})
}

func TestARunThatCannotJoinSaysWhyAndRunsNothing(t *testing.T) {
	nodes := startCluster(t, 1)
	inv, err := identity.ParseInvitation(nodes[0].join)
	if err != nil {
		t.Fatal(err)
	}
	inv.Secret = identity.NewSecret()
	gone := startUp(t, filepath.Join(t.TempDir(), "d"), "", "--listen", "127.0.0.1:0", "--no-mdns")
	gone.Process.Kill()
	gone.waited()
	for _, c := range []struct {
		name string
		args []string
		env  string
		says string
	}{
		{"nonsense", []string{"--join", "filch1nonsense"}, "", `^filch: --join: the join string is no good: `},
		{"nonsense in the environment", nil, "FILCH_JOIN=filch1nonsense", `^filch: FILCH_JOIN: the join string is no good: `},
		{"no file", []string{"--join-file", "/no-such"}, "", `^filch: --join-file: .*no such file`},
		{"standard input", []string{"--join-file", "-"}, "", `^filch: --join-file: standard input is for the inputs`},
		{"wrong secret", nil, "FILCH_JOIN=" + inv.Encode(), `^filch: FILCH_JOIN: the run cannot join: .*the join string is not of the cluster`},
		{"nobody there", nil, "FILCH_JOIN=" + gone.join, `^filch: FILCH_JOIN: the run cannot join: after 5s: (.|\n)*see that one of those nodes is up`},
		{"--local", []string{"--local", "--join", inv.Encode()}, "", `^filch: --local keeps commands here`},
		{"--socket", []string{"--socket", nodes[0].socket, "--join", inv.Encode()}, "", `^filch: --socket and --data-dir name a node`},
		{"a node of another cluster", nil, "FILCH_SOCKET=" + nodes[0].socket + " FILCH_JOIN=" + inv.Encode(), `^filch: FILCH_JOIN: the node of this machine is in cluster .*, and the join string is for cluster`},
		{"what has to run here", []string{"-u", "--join", nodes[0].join}, "", `^filch: --ungroup needs commands that run here`},
	} {
		t.Run(c.name, func(t *testing.T) {
			run := joiningRun(t, append(c.args, "echo", ":::", "1")...)
			run.Env = append(run.Env, strings.Fields(c.env)...)
			out, errs, code := finish(t, run)
			if code != 255 || out != "" || !regexp.MustCompile(c.says).MatchString(errs) {
				t.Errorf("exit %d, want 255 and %q:\n%s%s", code, c.says, out, errs)
			}
			nothingLeft(t, run)
		})
	}
	t.Run("a node of the same cluster is the one that is used", func(t *testing.T) {
		run := joiningRun(t, "--join", nodes[0].join, "-k", "echo", ":::", "1", "2")
		run.Env = append(run.Env, "FILCH_SOCKET="+nodes[0].socket)
		out, errs, code := finish(t, run)
		if code != 0 || out != "1\n2\n" || !strings.Contains(errs, seenByAll) || !strings.Contains(errs, "the node of this machine, n0, is a member of that cluster") {
			t.Errorf("exit %d: %s%s", code, out, errs)
		}
		if m := nodes[0].members(t); len(m) != 1 {
			t.Errorf("it joined: %+v", m)
		}
	})
	t.Run("interrupted meanwhile", func(t *testing.T) {
		run := joiningRun(t, "echo", ":::", "1")
		run.Env = append(run.Env, "FILCH_JOIN="+gone.join)
		_, said := begin(t, run)
		time.Sleep(200 * time.Millisecond) // whenever it arrives, the outcome is the same
		run.Process.Signal(syscall.SIGTERM)
		run.Wait()
		if code := run.ProcessState.ExitCode(); code != 143 {
			t.Errorf("exit %d: %s", code, said)
		}
	})
}
