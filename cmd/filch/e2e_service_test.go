//go:build linux

package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/filchsched/filch/node/control"
)

// A manager stands in for systemd: it hears what a service tells it.
type manager struct {
	*net.UnixConn
	env []string // what the service is started with
}

func newManager(t *testing.T) *manager {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetReadDeadline(time.Now().Add(deadline))
	return &manager{c, []string{"NOTIFY_SOCKET=" + path}}
}

// hears waits until it is told a state.
func (m *manager) hears(t *testing.T, state string) {
	t.Helper()
	b := make([]byte, 1<<12)
	for {
		n, err := m.Read(b)
		if err != nil {
			t.Fatalf("waiting for %s: %v", state, err)
		}
		for line := range strings.Lines(string(b[:n])) {
			if strings.TrimSpace(line) == state {
				return
			}
		}
	}
}

// TestServiceManagerIsTold: ready when the node answers, alive as often as asked for, and
// stopping before it stops; the join string stays out of its log.
func TestServiceManagerIsTold(t *testing.T) {
	m := newManager(t)
	p := startUpWith(t, filepath.Join(t.TempDir(), "d"), "", append(m.env, "WATCHDOG_USEC=100000"), "--listen", "127.0.0.1:0")
	m.hears(t, "READY=1")
	m.hears(t, "WATCHDOG=1")
	m.hears(t, "WATCHDOG=1")
	if strings.HasPrefix(p.join, "filch1") {
		t.Error("the join string was printed where a log keeps it")
	}
	p.Process.Signal(syscall.SIGTERM)
	m.hears(t, "STOPPING=1")
	if err := p.waited(); err != nil {
		t.Error(err)
	}
}

// pair starts two nodes that know each other; the second one is env's.
func pair(t *testing.T, env []string) (first, second *upProcess) {
	t.Helper()
	base := t.TempDir()
	first = startUp(t, filepath.Join(base, "a"), "", "--listen", "127.0.0.1:0", "--name", "a")
	second = startUpWith(t, filepath.Join(base, "b"), first.join, env, "--listen", "127.0.0.1:0", "--name", "b", "--join-file", "-")
	for _, p := range []*upProcess{first, second} {
		p.until(t, "two nodes", func(m map[string]control.Member) bool { return count(m, control.StateAlive) == 2 })
	}
	return first, second
}

// TestSignalLeaves: a node that is told to end by a signal has left for the others, and has not
// failed.
func TestSignalLeaves(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		first, second := pair(t, nil)
		second.Process.Signal(s)
		first.until(t, "one has left", func(m map[string]control.Member) bool {
			if count(m, control.StateFailed) > 0 {
				t.Errorf("after %v it is failed", s)
				return true
			}
			return count(m, control.StateLeft) == 1
		})
		if err := second.waited(); err != nil {
			t.Errorf("after %v: %v", s, err)
		}
	}
}

// TestSecondSignalEndsAtOnce: during the goodbye, which takes a second where there are others.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	m := newManager(t)
	_, second := pair(t, m.env)
	second.Process.Signal(syscall.SIGTERM)
	m.hears(t, "STOPPING=1")
	second.Process.Signal(syscall.SIGINT)
	second.waited()
	if code := second.ProcessState.ExitCode(); code != 128+int(syscall.SIGINT) {
		t.Errorf("exit %d, want %d; %s", code, 128+int(syscall.SIGINT), second.said)
	}
}

// TestSettingsOfThreeSources: the file says all, the environment some of it otherwise, a flag
// one of these.
func TestSettingsOfThreeSources(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "filch.toml")
	if err := os.WriteFile(file, []byte("name = \"file\"\nworkers = 3\nlabels = { rack = \"file\" }\nlisten = [\"127.0.0.1:0\"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := startUpWith(t, filepath.Join(dir, "d"), "", []string{"FILCH_CONFIG=" + file, "FILCH_NAME=environment", "FILCH_LABEL=rack=environment"}, "--name", "flag")
	m := p.members(t)[0]
	if m.Name != "flag" || m.Labels["rack"] != "environment" || m.Cores != 3 || len(m.Addrs) == 0 {
		t.Errorf("%+v", m)
	}
}

// TestVerbsTakeADataDirectory where they take a socket.
func TestVerbsTakeADataDirectory(t *testing.T) {
	p := startUp(t, filepath.Join(t.TempDir(), "d"), "", "--listen", "127.0.0.1:0", "--name", "n")
	for verb, want := range map[string]string{"nodes": "1 alive", "join-string": "filch1", "doctor": "node"} {
		out, errs, _ := finish(t, withoutNodeEnv(filch(t, verb, "--data-dir", p.dir)))
		if !strings.Contains(out, want) || strings.Contains(out, "no node is running") {
			t.Errorf("%s: %s%s", verb, out, errs)
		}
		if _, errs, code := finish(t, withoutNodeEnv(filch(t, verb, "--data-dir", p.dir, "--socket", p.socket))); code != 255 || !strings.Contains(errs, "data-dir") {
			t.Errorf("%s with both: exit %d: %s", verb, code, errs)
		}
	}
	if out, errs, code := finish(t, withoutNodeEnv(filch(t, "leave", "--data-dir", p.dir))); code != 0 || !strings.Contains(out, "has left") {
		t.Errorf("leave: exit %d: %s%s", code, out, errs)
	}
}

// TestDoctorDoesNotKnock: the node it looks at sees no stranger.
func TestDoctorDoesNotKnock(t *testing.T) {
	p := startUp(t, filepath.Join(t.TempDir(), "d"), "", "--listen", "127.0.0.1:0")
	out, errs, _ := p.ask(t, "doctor")
	if !regexp.MustCompile(`(?m)^ok +port +held, on UDP and TCP: 127\.0\.0\.1:\d+`).MatchString(out) {
		t.Errorf("doctor: %s%s", out, errs)
	}
	var metrics strings.Builder
	if err := control.NewClient(p.socket).Metrics(t.Context(), &metrics); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(metrics.String()) {
		if strings.HasPrefix(line, "filch_refused_total") && !strings.HasSuffix(strings.TrimSpace(line), " 0") {
			t.Error(line)
		}
	}
	if said := p.said.String(); strings.Contains(said, "refused") {
		t.Error(said)
	}
}

// TestUpMakesRoom: one thread of Go more than there are workers, unless the user said how many.
func TestUpMakesRoom(t *testing.T) {
	for env, want := range map[string]string{"": "6", "GOMAXPROCS=3": "3"} {
		p := startUpWith(t, filepath.Join(t.TempDir(), "d"), "", []string{env}, "--solo", "--workers", "5")
		var metrics strings.Builder
		if err := control.NewClient(p.socket).Metrics(t.Context(), &metrics); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(metrics.String(), "\ngo_sched_gomaxprocs_threads "+want+"\n") {
			t.Errorf("with %q it has not %s", env, want)
		}
	}
}

// TestCompletionOfUp offers what the flags take.
func TestCompletionOfUp(t *testing.T) {
	for words, want := range map[string]string{
		"up --accept ": "exec\tcommands", "up --log ": "warn\n", "up --label ": "rack=\n", "up --listen ": fmt.Sprintf("0.0.0.0:%s\t", defaultPort),
		"up --data-dir ": ":16\n", "up --config ": "toml\n:8\n", "up --join-f": "--join-file", "nodes --data-dir ": ":16\n",
	} {
		out, errs, code := finish(t, filch(t, append([]string{"__complete"}, strings.Split(words, " ")...)...))
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("%s: exit %d: %q, want %q; %s", words, code, out, want, errs)
		}
	}
}

// TestUnitFile: systemd understands it, and finds no fault.
func TestUnitFile(t *testing.T) {
	text, err := os.ReadFile("../../docs/filch.service")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"Type=notify\n", "ExecStart=/usr/local/bin/filch up\n", "Restart=on-failure\n", "Delegate=yes\n", "StateDirectoryMode=0700\n"} {
		if !strings.Contains(string(text), "\n"+line) {
			t.Errorf("it does not say %s", line)
		}
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	unit := filepath.Join(t.TempDir(), "filch.service")
	here := strings.ReplaceAll(string(text), "/usr/local/bin/filch", "/bin/true") // filch need not be installed
	if err := os.WriteFile(unit, []byte(here), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", unit).CombinedOutput(); err != nil || strings.Contains(string(out), "filch.service") {
		t.Errorf("%v: %s", err, out)
	}
}
