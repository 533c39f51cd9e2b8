//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/filchsched/filch/node/control"
)

// An upProcess is a real "filch up".
type upProcess struct {
	*exec.Cmd
	dir, socket string
	join        string // what it printed
	said        *tail
	waited      func() error
}

// A tail is what a process wrote to standard error; it may be read while that goes on.
type tail struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(p)
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}

// withoutNodeEnv keeps the tester's own node out of the tests.
func withoutNodeEnv(c *exec.Cmd, extra ...string) *exec.Cmd {
	c.Env = slices.DeleteFunc(c.Env, func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return strings.HasPrefix(name, "FILCH_") && name != asFilch || strings.HasPrefix(name, "XDG_") ||
			name == "NOTIFY_SOCKET" || name == "JOURNAL_STREAM" || name == "STATE_DIRECTORY"
	})
	c.Env = append(c.Env, extra...)
	return c
}

// startUp starts "filch up" and waits until it has said where it is.
func startUp(t *testing.T, dir string, stdin string, args ...string) *upProcess {
	t.Helper()
	return startUpWith(t, dir, stdin, nil, args...)
}

// startUpWith is startUp with more in the environment.
func startUpWith(t *testing.T, dir string, stdin string, env []string, args ...string) *upProcess {
	t.Helper()
	c := withoutNodeEnv(filch(t, append([]string{"up", "--data-dir", dir, "--no-mdns"}, args...)...), append([]string{"HOME=" + dir}, env...)...)
	p := &upProcess{Cmd: c, dir: dir, socket: filepath.Join(dir, control.SocketName), said: new(tail)}
	c.Stderr = p.said
	c.Stdin = strings.NewReader(stdin)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		if word == "join" {
			p.join = strings.TrimSpace(rest)
		}
		if word == "socket" && slices.Contains(args, "--solo") || word == "join" {
			break
		}
	}
	p.waited = sync.OnceValue(func() error {
		for lines.Scan() {
		}
		return c.Wait()
	})
	t.Cleanup(func() {
		c.Process.Kill()
		p.waited()
		if t.Failed() {
			t.Logf("%s said:\n%s", dir, p.said)
		}
	})
	return p
}

// ask runs a verb against the node.
func (p *upProcess) ask(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return finish(t, withoutNodeEnv(filch(t, append(args, "--socket", p.socket)...)))
}

// members is what the node knows.
func (p *upProcess) members(t *testing.T) []control.Member {
	t.Helper()
	out, errs, code := p.ask(t, "nodes", "--output", "json")
	var all []control.Member
	if err := json.Unmarshal([]byte(out), &all); err != nil || code != 0 {
		t.Fatalf("nodes: exit %d: %v\n%s%s", code, err, out, errs)
	}
	return all
}

// until follows the node's events until what it knows is as wanted.
func (p *upProcess) until(t *testing.T, what string, wanted func(map[string]control.Member) bool) {
	t.Helper()
	now := make(map[string]control.Member)
	synced := false
	for e, err := range control.NewClient(p.socket).Watch(t.Context()) {
		if err != nil {
			t.Fatalf("waiting until %s: %v; %s", what, err, p.said)
		}
		switch e.Kind {
		case control.EventSynced:
			synced = true
		case control.EventPresent, control.EventChanged:
			now[e.Node.ID] = *e.Node
		case control.EventGone:
			delete(now, e.Node.ID)
		}
		if synced && wanted(now) {
			return
		}
	}
	t.Fatalf("%s did not come about", what)
}

// count counts members in a state whose announcement has arrived.
func count(all map[string]control.Member, state string) (n int) {
	for _, m := range all {
		if m.State == state && m.Name != "" {
			n++
		}
	}
	return n
}

// TestFiveNodes: five processes find each other through a join string and agree on who
// is there; one that is killed is failed, one that leaves has left; a killed one comes back
// as the same node from another address.
func TestFiveNodes(t *testing.T) {
	base := t.TempDir()
	var nodes []*upProcess
	for i := range 5 {
		args := []string{"--listen", "127.0.0.1:0", "--name", fmt.Sprint("n", i), "--label", fmt.Sprint("rack=r", i%2), "--workers", fmt.Sprint(i + 1)}
		stdin := ""
		if i > 0 {
			args, stdin = append(args, "--join-file", "-"), nodes[0].join
		}
		nodes = append(nodes, startUp(t, filepath.Join(base, fmt.Sprint(i)), stdin, args...))
	}
	for _, n := range nodes {
		n.until(t, "five nodes", func(m map[string]control.Member) bool { return count(m, control.StateAlive) == 5 })
	}
	var first []string
	for i, n := range nodes {
		var view []string
		for j, m := range n.members(t) {
			view = append(view, fmt.Sprint(m.Name, m.ID, m.State, m.Addrs, m.Labels, m.Arch, m.Cores, m.MemoryBytes, m.Kinds))
			if m.Name != fmt.Sprint("n", j) || m.Cores != j+1 || m.State != control.StateAlive || m.Self != (i == j) || len(m.Addrs) == 0 || m.MemoryBytes <= 0 {
				t.Errorf("n%d sees %+v in place %d", i, m, j)
			}
			if want := map[bool]string{true: "self", false: "host"}[i == j]; m.Level != want {
				t.Errorf("n%d sees %s at level %q (%s), want %s: they run on one machine", i, m.Name, m.Level, m.LevelReason, want)
			}
		}
		if first == nil {
			first = view
		} else if !slices.Equal(first, view) {
			t.Errorf("n0 and n%d do not agree:\n%q\n%q", i, first, view)
		}
	}
	for _, n := range nodes {
		n.until(t, "all round trips", func(m map[string]control.Member) bool {
			known := 0
			for _, other := range m {
				if other.RTTSeconds != nil && *other.RTTSeconds > 0 {
					known++
				}
			}
			return known == 4
		})
	}
	table, _, _ := nodes[1].ask(t, "nodes")
	if !regexp.MustCompile(`(?m)^n3 +alive +host \(boot id\) .* rack=r1 +127\.0\.0\.1:\d+ +12D3\w+$`).MatchString(table) {
		t.Errorf("the table:\n%s", table)
	}

	id := nodes[4].members(t)[4].ID
	nodes[4].Process.Kill()
	nodes[4].waited()
	if out, errs, code := nodes[3].ask(t, "leave"); code != 0 || !strings.Contains(out, "n3") {
		t.Errorf("leave: exit %d: %s%s", code, out, errs)
	}
	if err := nodes[3].waited(); err != nil {
		t.Errorf("the node that left: %v; %s", err, nodes[3].said)
	}
	for _, n := range nodes[:3] {
		n.until(t, "one failed and one left", func(m map[string]control.Member) bool {
			return count(m, control.StateFailed) == 1 && count(m, control.StateLeft) == 1
		})
	}

	// The same identity from another port, without a join string: who was killed remembers
	// whom it knew, as does who left.
	startUp(t, nodes[4].dir, "", "--listen", "127.0.0.1:0", "--name", "n4", "--workers", "5")
	nodes[0].until(t, "the killed one is back", func(m map[string]control.Member) bool { return m[id].State == control.StateAlive })
	back := startUp(t, nodes[3].dir, "", "--listen", "127.0.0.1:0", "--name", "n3", "--workers", "4")
	for _, n := range append(nodes[:3:3], back) {
		n.until(t, "five nodes again", func(m map[string]control.Member) bool { return count(m, control.StateAlive) == 5 })
	}
}
