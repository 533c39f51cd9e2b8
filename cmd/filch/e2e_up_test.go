//go:build unix

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/filchsched/filch/gossip/identity"
	"github.com/filchsched/filch/node/control"
)

// TestUpRefusesASecondOne on the same data directory, and names who has it.
func TestUpRefusesASecondOne(t *testing.T) {
	p := startUp(t, filepath.Join(t.TempDir(), "d"), "", "--solo")
	_, errs, code := finish(t, withoutNodeEnv(filch(t, "up", "--solo", "--data-dir", p.dir)))
	want := regexp.MustCompile(`^filch: data directory .*/d: another node is using it \(process \d+\): .*--data-dir\n$`)
	if code != 255 || !want.MatchString(errs) {
		t.Errorf("exit %d: %s", code, errs)
	}
	_, errs, code = finish(t, withoutNodeEnv(filch(t, "up", "--solo", "--data-dir", filepath.Join(t.TempDir(), "e"), "--socket", p.socket)))
	if code != 255 || !strings.Contains(errs, "a node is running there (process ") {
		t.Errorf("with another's socket: exit %d: %s", code, errs)
	}
}

// TestUpSolo: a node on its own listens nowhere, cannot be joined, and ends at SIGTERM.
func TestUpSolo(t *testing.T) {
	p := startUp(t, filepath.Join(t.TempDir(), "d"), "", "--solo", "--label", "rack=r1")
	all := p.members(t)
	if len(all) != 1 || !all[0].Self || all[0].Labels["rack"] != "r1" || all[0].State != control.StateAlive {
		t.Errorf("%+v", all)
	}
	if out, errs, code := p.ask(t, "join-string"); code != 255 || out != "" || !strings.Contains(errs, "on its own") {
		t.Errorf("join-string: exit %d: %s%s", code, out, errs)
	}
	p.Process.Signal(syscall.SIGTERM)
	if err := p.waited(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	if _, err := os.Lstat(p.socket); err == nil {
		t.Error("the socket is still there")
	}
	for _, name := range []string{"identity", "secret", "incarnation"} {
		info, err := os.Stat(filepath.Join(p.dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

// TestUpFindsWhatADeadNodeLeft: after kill -9 the same directory and socket serve again,
// and the start is counted.
func TestUpFindsWhatADeadNodeLeft(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	p := startUp(t, dir, "", "--solo")
	id := p.members(t)[0].ID
	p.Process.Kill()
	p.waited()
	again := startUp(t, dir, "", "--solo")
	n, err := control.NewClient(again.socket).Node(t.Context())
	if err != nil || n.ID != id || n.Incarnation != 2 {
		t.Errorf("%+v, %v; want %s for the second time", n, err, id)
	}
}

// TestUpWithTheWrongSecret: who joins with a secret that is not the cluster's is told so,
// and may try again with the right one.
func TestUpWithTheWrongSecret(t *testing.T) {
	base := t.TempDir()
	p := startUp(t, filepath.Join(base, "a"), "", "--listen", "127.0.0.1:0")
	inv, err := identity.ParseInvitation(p.join)
	if err != nil {
		t.Fatal(err)
	}
	inv.Secret = identity.NewSecret()
	dir := filepath.Join(base, "b")
	c := withoutNodeEnv(filch(t, "up", "--data-dir", dir, "--listen", "127.0.0.1:0", "--no-mdns"), "FILCH_JOIN="+inv.Encode())
	_, errs, code := finish(t, c)
	if code != 255 || !strings.Contains(errs, "cluster") || !strings.Contains(errs, "filch: join: the join string is not of the cluster") {
		t.Errorf("exit %d: %s", code, errs)
	}
	q := startUp(t, dir, p.join, "--listen", "127.0.0.1:0", "--join-file", "-")
	q.until(t, "two nodes", func(m map[string]control.Member) bool { return count(m, control.StateAlive) == 2 })
}

// TestUpRefuses what cannot be meant, and says where it was said.
func TestUpRefuses(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "filch.toml")
	if err := os.WriteFile(file, []byte("workers = \"many\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		env  string
		says string
	}{
		{"listen", []string{"--listen", "localhost"}, "", `^filch: --listen: "localhost" is not HOST:PORT`},
		{"host name", []string{"--listen", "example.org:1"}, "", `^filch: --listen: "example.org:1": the host is an address`},
		{"label", []string{"--label", "rack"}, "", `^filch: --label: "rack" is not KEY=VALUE`},
		{"label twice", []string{"--label", "a=1", "--label", "a=2"}, "", `^filch: --label: the label a is there twice`},
		{"workers", []string{"--workers", "x"}, "", `^filch: --workers: "x" is not a number`},
		{"workers of the environment", nil, "FILCH_WORKERS=-1", `^filch: FILCH_WORKERS: "-1" is not a number`},
		{"workers of the file", []string{"--config", file}, "", `^filch: .*filch.toml: workers: "many" is not a number`},
		{"no file", []string{"--config", "/no-such"}, "", `^filch: --config: .*no such file`},
		{"accept", []string{"--accept", "wasm"}, "", `accept: there is no kind of task called "wasm"`},
		{"join", []string{"--join", "filch1nonsense"}, "", `--join: every user(.|\n)*filch: .*the join string is no good: `},
		{"empty join file", []string{"--join-file", "-"}, "", `^filch: --join-file: standard input: there is no join string`},
		{"solo and join", []string{"--solo"}, "FILCH_JOIN=x", `^filch: --solo and FILCH_JOIN contradict`},
		{"long socket", []string{"--solo", "--data-dir", dir + "/s", "--socket", "/tmp/" + strings.Repeat("x", 120)}, "", `has 125 bytes and this system allows \d+ .*--socket`},
		{"foreign address", []string{"--data-dir", dir + "/f", "--listen", "192.0.2.1:0", "--no-mdns"}, "", `192\.0\.2\.1.*no address of this machine`},
		{"argument", []string{"now"}, "", `^filch: unknown command "now"`},
		{"flag", []string{"--listne", "x"}, "", `^filch: unknown flag --listne`},
		{"log", []string{"--log", "loud"}, "", `there is debug, info, warn and error`},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := withoutNodeEnv(filch(t, append([]string{"up"}, c.args...)...), "HOME="+dir, "XDG_STATE_HOME="+dir)
			if c.env != "" {
				cmd.Env = append(cmd.Env, c.env)
			}
			out, errs, code := finish(t, cmd)
			if code != 255 || out != "" || !regexp.MustCompile(c.says).MatchString(errs) {
				t.Errorf("exit %d, want 255 and %q:\n%s%s", code, c.says, out, errs)
			}
		})
	}
}

// TestVerbsWithoutANode say where they looked, and what to do.
func TestVerbsWithoutANode(t *testing.T) {
	dir := t.TempDir()
	for _, verb := range []string{"nodes", "leave", "join-string"} {
		_, errs, code := finish(t, withoutNodeEnv(filch(t, verb), "FILCH_DATA_DIR="+dir))
		if code != 255 || !strings.Contains(errs, dir+"/control.sock") || !strings.Contains(errs, `"filch up"`) {
			t.Errorf("%s: exit %d: %s", verb, code, errs)
		}
	}
	out, errs, code := finish(t, withoutNodeEnv(filch(t, "doctor", "--data-dir", dir)))
	if !strings.Contains(out, "no node is running here") {
		t.Errorf("doctor: exit %d: %s%s", code, out, errs)
	}
}

// TestDoctorFindsOpenFiles: permissions that show the secret are wrong, and the exit
// code says so.
func TestDoctorFindsOpenFiles(t *testing.T) {
	p := startUp(t, filepath.Join(t.TempDir(), "d"), "", "--solo")
	if err := os.Chmod(filepath.Join(p.dir, "secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, errs, code := p.ask(t, "doctor")
	if code != 1 || !regexp.MustCompile(`(?m)^wrong +secret +.*mode 0644`).MatchString(out) || !strings.Contains(out, "chmod go-rwx") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
}
