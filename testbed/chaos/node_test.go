//go:build linux

package chaos

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/filchsched/filch/node/control"
	"github.com/filchsched/filch/testbed/spaces"
)

// A member is a "filch up" in a namespace of its own. Its data directory outlives it.
type member struct {
	program     string
	name, space string
	addr        string
	cmd         *exec.Cmd
	said        spaces.Log
}

func newMember(t *testing.T, program string, i int) *member {
	m := &member{program: program, name: fmt.Sprint("n", i), space: fmt.Sprint("s", i), addr: fmt.Sprint("10.99.0.", 30+i)}
	spaces.Add(t, m.space, m.addr)
	return m
}

func (m *member) dir() string    { return "/run/filch/" + m.name }
func (m *member) socket() string { return filepath.Join(m.dir(), control.SocketName) }

// start runs the node, and returns its join string.
func (m *member) start(t *testing.T, join string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(m.dir()), 0o700); err != nil {
		t.Fatal(err)
	}
	m.cmd = m.command("up", "--no-mdns", "--accept", "exec", "--workers", "2", "--name", m.name, "--data-dir", m.dir(), "--listen", m.addr+":7447")
	m.cmd.Env = append(os.Environ(), "FILCH_JOIN="+join)
	m.cmd.Stderr = &m.said
	out, err := m.cmd.StdoutPipe()
	if err == nil {
		err = m.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if word, rest, _ := strings.Cut(lines.Text(), " "); word == "join" {
			return strings.TrimSpace(rest)
		}
	}
	t.Fatalf("%s did not start: %s", m.name, &m.said)
	return ""
}

// command is filch in the member's namespace.
func (m *member) command(args ...string) *exec.Cmd {
	return exec.Command("ip", append([]string{"netns", "exec", m.space, m.program}, args...)...)
}

func (m *member) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := m.cmd.Process.Signal(sig); err != nil {
		t.Fatalf("%s: %v", m.name, err)
	}
}

// kill ends the node as a power failure would.
func (m *member) kill() {
	m.cmd.Process.Kill()
	m.cmd.Wait()
}

// cut drops what comes from another member; mend takes that back.
func (m *member) cut(t *testing.T, from *member) {
	spaces.In(t, m.space, "iptables -A INPUT -s "+from.addr+" -j DROP")
}

func (m *member) mend(t *testing.T, from *member) {
	spaces.In(t, m.space, "iptables -D INPUT -s "+from.addr+" -j DROP")
}
