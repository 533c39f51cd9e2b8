//go:build linux

package spaces

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// insideVariable says, in a test's environment, that this is the process inside, and which program is
// under test.
const insideVariable = "FILCH_INSIDE"

// Isolated runs inside as process 1 of new namespaces, with the main packages built (paths as go build takes them,
// seen from the test's folder): programs are the paths of the results. The process ends with this one, and whole
// bounds its life, building included.
func Isolated(t *testing.T, whole time.Duration, inside func(t *testing.T, programs []string), packages ...string) {
	t.Helper()
	if programs := os.Getenv(insideVariable); programs != "" {
		prepare(t)
		inside(t, filepath.SplitList(programs))
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	for _, tool := range []string{"ip", "iptables"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("there is no %s here", tool)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), whole)
	defer cancel()
	var programs []string
	for _, p := range packages {
		program := filepath.Join(t.TempDir(), filepath.Base(p))
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", program, p)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", p, err, out)
		}
		programs = append(programs, program)
	}
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v", "-test.timeout", whole.String())
	cmd.Env = append(os.Environ(), insideVariable+"="+strings.Join(programs, string(os.PathListSeparator)))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
	}
	switch err := cmd.Run(); {
	case err != nil && cmd.Process == nil:
		t.Skipf("namespaces are not permitted here: %v", err)
	case err != nil:
		t.Errorf("in the namespaces: %v", err)
	}
}

// prepare gives this process files of its own where others would see what it does.
func prepare(t *testing.T) {
	t.Helper()
	for _, m := range []struct {
		source, target, kind string
		flags                uintptr
	}{
		{"", "/", "", syscall.MS_REC | syscall.MS_PRIVATE},
		{"proc", "/proc", "proc", 0},
		{"tmpfs", "/run", "tmpfs", 0}, // ip keeps the names of namespaces there
	} {
		if err := syscall.Mount(m.source, m.target, m.kind, m.flags, ""); err != nil {
			t.Fatalf("mount %s: %v", m.target, err)
		}
	}
	Run(t, "ip link set lo up")
	Run(t, "ip link add seg0 type bridge")
	Run(t, "ip addr add 10.99.0.1/24 dev seg0")
	Run(t, "ip link set seg0 up")
}

// Run runs a command line of plain words.
func Run(t *testing.T, line string) {
	t.Helper()
	words := strings.Fields(line)
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

// In runs a command line in a namespace.
func In(t *testing.T, space, line string) {
	t.Helper()
	Run(t, "ip netns exec "+space+" "+line)
}

// Add makes a namespace with eth0 at an address of the segment.
func Add(t *testing.T, name, addr string) {
	t.Helper()
	Run(t, "ip netns add "+name)
	Run(t, fmt.Sprintf("ip link add v-%s type veth peer name eth0 netns %[1]s", name))
	Run(t, fmt.Sprintf("ip link set v-%s master seg0 up", name))
	In(t, name, "ip link set lo up")
	In(t, name, "ip addr add "+addr+"/24 dev eth0")
	In(t, name, "ip link set eth0 up")
}

// inner is what is behind the router that AddRouter makes.
var inner = Site{Router: "nat", Net: "10.50.0"}

// AddRouter makes the namespace "nat" at an address of the segment, which masquerades what
// comes from 10.50.0.0/24.
func AddRouter(t *testing.T, addr string) {
	t.Helper()
	Add(t, inner.Router, addr)
	inner.bridge(t)
	In(t, inner.Router, "iptables -t nat -A POSTROUTING -s 10.50.0.0/24 -o eth0 -j MASQUERADE")
}

// AddInner makes a namespace behind the router.
func AddInner(t *testing.T, name, addr string) {
	t.Helper()
	inner.Add(t, name, addr)
}
