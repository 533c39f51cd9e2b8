package proc

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/filchsched/filch/exec/task"
)

// hog takes 300 MB and keeps it: tail waits for the end of a line that does not come.
const hog = `(head -c 300000000 /dev/zero; sleep 1000) | tail >/dev/null`

// limitWays are the ways to hold commands to their grants that this system has.
func limitWays(t *testing.T, f func(t *testing.T, r *Runner)) {
	t.Run("cgroups", func(t *testing.T) {
		r := newRunner(t, Config{})
		if r.limits.find(); r.limits.memoryErr != nil {
			t.Skip(r.Limits())
		}
		f(t, r)
	})
	t.Run("looking", func(t *testing.T) {
		r := newRunner(t, Config{})
		r.limits.once.Do(func() { r.limits.memoryErr, r.limits.cpuErr = errEnough, errEnough })
		f(t, r)
	})
	t.Run("no supervisor", func(t *testing.T) {
		r := newRunner(t, Config{})
		r.starter = pidfdStarter{}
		f(t, r)
	})
}

// A command over its memory is killed, with all that belongs to it, and no other.
func TestMemoryLimit(t *testing.T) {
	limitWays(t, func(t *testing.T, r *Runner) {
		t.Log(r.Limits())
		var both sync.WaitGroup
		both.Go(func() {
			res, out, _ := run(t, r, Command{Shell: "head -c 20000000 /dev/zero | tail | wc -c; sleep 0.5", Memory: 64 << 20})
			if res.State != task.Done || out != "20000000\n" {
				t.Errorf("the one within its limit: %+v, %q", res.Outcome, out)
			}
		})
		res, _, _ := run(t, r, Command{Shell: hog, Memory: 64 << 20, Timeout: tooLate})
		var large *MemoryError
		if !errors.As(res.Err, &large) || res.State != task.Failed || StateOf(res.Outcome) != "OUT_OF_MEMORY" || large.Limit != 64<<20 {
			t.Errorf("%+v", res.Outcome)
		}
		if res.Usage.MaxMemory < 48<<20 {
			t.Errorf("its peak was %d", res.Usage.MaxMemory)
		}
		both.Wait()
	})
}

// A command whose child was killed for its memory failed, whatever it made of that; and a limit that does not
// hold a process at all is told as a limit, not as what the kernel makes of it.
func TestMemoryLimitOfChildrenAndOfNothing(t *testing.T) {
	limitWays(t, func(t *testing.T, r *Runner) {
		var large *MemoryError
		res, _, _ := run(t, r, Command{Shell: "(" + hog + "); exit 0", Memory: 64 << 20, Timeout: tooLate})
		if !errors.As(res.Err, &large) || res.State != task.Failed || res.Exit != 0 || res.Signal != int(syscall.SIGKILL) {
			t.Errorf("a child: %+v", res.Outcome)
		}
		if _, inGroup := r.starter.(*supervisedStarter); !inGroup || r.limits.memoryErr != nil {
			return
		}
		// The kernel kills tail, and the shell ends before anybody looks.
		res, _, _ = run(t, r, Command{Shell: "head -c 300000000 /dev/zero | tail -c 300000000 >/dev/null; exit 0", Memory: 4 << 20})
		if !errors.As(res.Err, &large) || res.Exit != 0 || res.Signal != int(syscall.SIGKILL) {
			t.Errorf("a child of a shell that goes on: %+v", res.Outcome)
		}
		res, _, _ = run(t, r, Command{Argv: []string{"true"}, Memory: 1})
		if !errors.As(res.Err, &large) || StateOf(res.Outcome) != "OUT_OF_MEMORY" || !strings.Contains(res.Err.Error(), "its 1 bytes") {
			t.Errorf("a byte: %+v", res.Outcome)
		}
	})
}

// The most that a command had is its own: neither that of filch nor less than it was.
func TestPeakMemoryIsTheCommands(t *testing.T) {
	ballast := make([]byte, 100<<20)
	for i := 0; i < len(ballast); i += 4096 {
		ballast[i] = 1
	}
	limitWays(t, func(t *testing.T, r *Runner) {
		const buffer = 40 << 20
		res, _, errs := run(t, r, Command{Shell: "dd if=/dev/zero of=/dev/null bs=" + strconv.Itoa(buffer) + " count=20", Memory: 1 << 30})
		if res.Err != nil {
			t.Fatal(res.Err, errs)
		}
		_, direct := r.starter.(pidfdStarter)
		if m := res.Usage.MaxMemory; m > buffer+16<<20 || m < buffer && !direct {
			t.Errorf("a peak of %d with a buffer of %d", m, buffer)
		}
	})
	if ballast[4096] != 1 {
		t.Error("optimised away")
	}
}

func TestCoresAreLimited(t *testing.T) {
	r := newRunner(t, Config{})
	if r.limits.find(); r.limits.cpuErr != nil || r.limits.cpu.unified {
		t.Skip(r.Limits())
	}
	// The last part of the path is the command's own group.
	script := `cat $0/$(sed -n 's|^[0-9]*:\([^:]*,\)*cpu\(,[^:]*\)*:.*/||p' /proc/self/cgroup)/cpu.cfs_quota_us`
	res, out, errs := run(t, r, Command{Argv: []string{"sh", "-c", script, r.limits.cpu.dir}, Cores: 2})
	if res.Err != nil || out != "200000\n" {
		t.Errorf("the quota inside is %q: %v %s", out, res.Err, errs)
	}
}

// Nothing is left of cgroups: not while the run goes on, not after it, not after it was killed.
func TestGroupsAreRemoved(t *testing.T) {
	r := newRunner(t, Config{})
	if r.limits.find(); r.limits.memoryErr != nil {
		t.Skip(r.Limits())
	}
	groups := func(pid int) (found []string) {
		for _, c := range []controller{r.limits.memory, r.limits.cpu} {
			some, _ := filepath.Glob(filepath.Join(c.dir, "filch-"+strconv.Itoa(pid)+"-*"))
			found = append(found, some...)
		}
		return found
	}
	for range 5 {
		run(t, r, Command{Argv: []string{"true"}, Memory: 64 << 20, Cores: 1})
	}
	if left := groups(os.Getpid()); len(left) > 0 {
		t.Errorf("left while the run goes on: %v", left)
	}
	_, out, _ := run(t, r, Command{Shell: "sleep 1000 >/dev/null & echo $!", Memory: 64 << 20, Cores: 1})
	if left := groups(os.Getpid()); len(left) == 0 {
		t.Errorf("process %s is in no group", out)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	r.null, _ = os.Open(os.DevNull) // for the second Close
	if left := groups(os.Getpid()); len(left) > 0 {
		t.Errorf("left after the run: %v", left)
	}
	t.Setenv(victimMemory, strconv.Itoa(64<<20))
	v := startVictim(t, map[string]string{"plain": escapes["plain"], "left": escapes["left behind, setsid"]})
	if len(groups(v.cmd.Process.Pid)) == 0 {
		t.Error("the victim's commands are in no group")
	}
	supervisor := openPidfd(t, v.supervisor)
	v.kill(v.cmd.Process.Pid, unix.SIGKILL)
	v.expectGone()
	if !endsBy(supervisor, time.Now().Add(tooLate)) {
		t.Error("the supervisor is still there")
	}
	if left := groups(v.cmd.Process.Pid); len(left) > 0 {
		t.Errorf("left after filch was killed: %v", left)
	}
}

// Without the right to make cgroups memory is looked at, and Limits says so.
func TestLimitsWithoutRights(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can become somebody without rights")
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", hog, "")
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/bin:/bin", asVictim + "=1", victimMemory + "=67108864"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	cmd.WaitDelay = tooLate
	out, err := cmd.Output()
	lines := bufio.NewScanner(bytes.NewReader(out))
	if lines.Scan(); err != nil || !strings.Contains(lines.Text(), "memory: by looking every 100ms (no cgroup: ") {
		t.Errorf("limits: %q, %v", lines.Text(), err)
	}
	if lines.Scan(); !strings.HasPrefix(lines.Text(), "OUT_OF_MEMORY") {
		t.Errorf("the command: %q", lines.Text())
	}
	t.Logf("%s", out)
}

const (
	mountinfoV1 = `25 1 0:22 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
26 25 0:23 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
27 25 0:24 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
28 25 0:25 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
`
	mountinfoV2      = "25 1 0:22 / /sys/fs/cgroup rw shared:3 - cgroup2 cgroup2 rw,nsdelegate\n"
	mountinfoInside  = "25 1 0:22 /box/one /sys/fs/cgroup ro - cgroup cgroup rw,memory\n"
	mountinfoOutside = "25 1 0:22 /box/two /sys/fs/cgroup ro - cgroup cgroup rw,memory\n"
)

func TestFindController(t *testing.T) {
	for _, c := range []struct {
		name, mountinfo, membership, dir string
		unified                          bool
	}{
		{"memory", mountinfoV1, "4:memory:/user\n2:cpu,cpuacct:/\n0::/x\n", "/sys/fs/cgroup/memory/user", false},
		{"cpu", mountinfoV1, "4:memory:/user\n2:cpu,cpuacct:/\n0::/x\n", "/sys/fs/cgroup/cpu,cpuacct", false},
		{"memory", mountinfoV1, "2:cpu,cpuacct:/\n0::/x\n", "/sys/fs/cgroup/unified/x", true},
		{"memory", mountinfoV2, "0::/user.slice/a b\n", "/sys/fs/cgroup/user.slice/a b", true},
		{"memory", mountinfoInside, "4:memory:/box/one/two\n", "/sys/fs/cgroup/two", false},
		{"memory", mountinfoInside, "4:memory:/box/one\n", "/sys/fs/cgroup", false},
		{"memory", mountinfoOutside, "4:memory:/box/one\n", "", false},
		{"memory", "", "4:memory:/\n", "", false},
		{"memory", mountinfoV2, "", "", true},
		{"memory", "x\n - \n1 2 3 4 5 - cgroup\n", "memory\n::\n1:memory\n", "", true},
	} {
		got, err := findController(c.name, c.mountinfo, c.membership)
		if got.dir != c.dir || got.unified != c.unified || (err == nil) != (c.dir != "") {
			t.Errorf("%+v: %+v, %v", c, got, err)
		}
	}
}

// What is written into a group, of either version, on a directory that looks like one.
func TestGroupsAreSetUp(t *testing.T) {
	for _, c := range []struct {
		controller controller
		want       map[string]string
	}{
		{controller{name: "memory"}, map[string]string{"memory.limit_in_bytes": "1000", "memory.memsw.limit_in_bytes": "1000"}},
		{controller{name: "cpu"}, map[string]string{"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "300000"}},
		{controller{name: "memory", unified: true}, map[string]string{"memory.max": "1000", "memory.oom.group": "1", "memory.swap.max": "0"}},
		{controller{name: "cpu", unified: true}, map[string]string{"cpu.max": "300000 100000"}},
	} {
		g := cgroup{c.controller, t.TempDir()}
		for file := range c.want {
			os.WriteFile(filepath.Join(g.dir, file), nil, 0o600)
		}
		if err := g.limit(3, 1000); err != nil {
			t.Error(err)
		}
		for file, want := range c.want {
			if got, err := os.ReadFile(filepath.Join(g.dir, file)); string(got) != want {
				t.Errorf("%s holds %q (%v), not %q", file, got, err, want)
			}
		}
	}
	for _, c := range []struct {
		unified        bool
		file, text     string
		out            bool
		peakFile, peak string
	}{
		{false, "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n", true, "memory.max_usage_in_bytes", "77\n"},
		{false, "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n", false, "memory.max_usage_in_bytes", "77\n"},
		{true, "memory.events", "low 0\nmax 3\noom 1\noom_kill 2\noom_group_kill 1\n", true, "memory.peak", "77\n"},
		{true, "memory.events", "oom_group_kill 1\n", false, "memory.peak", "77\n"},
	} {
		g := cgroup{controller{name: "memory", unified: c.unified}, t.TempDir()}
		if g.outOfMemory() || g.peak() != 0 {
			t.Error("an empty directory says something")
		}
		os.WriteFile(filepath.Join(g.dir, c.file), []byte(c.text), 0o600)
		os.WriteFile(filepath.Join(g.dir, c.peakFile), []byte(c.peak), 0o600)
		if g.outOfMemory() != c.out || g.peak() != 77 {
			t.Errorf("%+v: %v, %d", c, g.outOfMemory(), g.peak())
		}
	}
}

// A command is born in a group of version 2, where the hierarchy of this system, which may have no
// controllers, allows it.
func TestBornInUnifiedGroup(t *testing.T) {
	mountinfo, _ := os.ReadFile("/proc/self/mountinfo")
	membership, _ := os.ReadFile("/proc/self/cgroup")
	c, err := findController("no controller", string(mountinfo), string(membership))
	if err != nil {
		t.Skip(err)
	}
	g := cgroup{c, filepath.Join(c.dir, "filch-"+strconv.Itoa(os.Getpid())+"-77")}
	if err := os.Mkdir(g.dir, 0o755); err != nil {
		t.Skip(err)
	}
	defer g.remove()
	r := newRunner(t, Config{})
	cmd := Command{Shell: "sed -n s/^0:://p /proc/self/cgroup"}
	l, err := r.prepare(&cmd)
	if err != nil {
		t.Fatal(err)
	}
	l.stdin, l.out.to, l.err.to, l.unified = r.null, r.newSpool(), r.newSpool(), true
	if l.entrances, err = g.entrances(); err != nil {
		t.Fatal(err)
	}
	defer l.entrances[0].Close()
	var res Result
	if err := r.execute(t.Context(), l, nil, &res); err != nil {
		t.Fatal(err)
	}
	res.Stderr.Close()
	if out := text(t, res.Stdout); !strings.HasSuffix(strings.TrimSpace(out), filepath.Base(g.dir)) {
		t.Errorf("the command was in %q", out)
	}
}
