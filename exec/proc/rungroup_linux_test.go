package proc

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// victimRunGroup is the only hierarchy that a victim makes its runGroup in.
const victimRunGroup = "FILCH_TEST_RUN_GROUP"

func init() {
	if kind := os.Getenv(victimRunGroup); kind != "" {
		runGroupKinds = []string{kind}
	}
}

// runGroupOf returns the runGroup of the process pid, or "".
func runGroupOf(t *testing.T, kind string, pid int) string {
	t.Helper()
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	membership, _ := os.ReadFile("/proc/self/cgroup")
	c, err := findController(kind, string(mounts), string(membership))
	if err != nil || c.unified != (kind == "unified") {
		t.Skipf("no cgroups of kind %q here: %v", kind, err)
	}
	found, _ := filepath.Glob(filepath.Join(c.dir, fmt.Sprintf("filch-run-%d-*", pid)))
	if len(found) == 0 {
		return ""
	}
	return found[0]
}

// limitGroupsOf are the groups, of version 1, for the limits of a filch's commands.
func limitGroupsOf(pid int) (found []string) {
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	membership, _ := os.ReadFile("/proc/self/cgroup")
	for _, name := range []string{"memory", "cpu"} {
		if c, err := findController(name, string(mounts), string(membership)); err == nil {
			some, _ := filepath.Glob(filepath.Join(c.dir, fmt.Sprintf("filch-%d-*", pid)))
			found = append(found, some...)
		}
	}
	return found
}

// eachRunGroupKind runs f for both versions of cgroups, as far as they are here.
func eachRunGroupKind(t *testing.T, f func(t *testing.T, kind string)) {
	for _, kind := range []string{"unified", "freezer"} {
		t.Run(kind, func(t *testing.T) {
			before := runGroupKinds
			defer func() { runGroupKinds = before }()
			runGroupKinds = []string{kind}
			if g := newRunGroup(); g == nil {
				t.Skip("no right to make cgroups, or none of this kind")
			} else {
				g.remove()
			}
			t.Setenv(victimRunGroup, kind)
			f(t, kind)
		})
	}
}

// Filch and its supervisor are killed at once: what they leave lives on, and the next filch that
// starts ends it. One whose filch lives it leaves alone.
func TestNextFilchEndsWhatBothLeft(t *testing.T) {
	eachRunGroupKind(t, func(t *testing.T, kind string) {
		live := startVictim(t, map[string]string{"of the living": escapes["plain"]})
		t.Setenv(victimMemory, strconv.Itoa(64<<20)) // so that it has groups of limits, too, where there are any
		dead := startVictim(t, map[string]string{
			"plain":                       escapes["plain"],
			"setsid, double fork, env -i": escapes["setsid, double fork, env -i"],
		})
		supervisor := openPidfd(t, dead.supervisor)
		dead.stop(dead.supervisor)
		dead.stop(dead.cmd.Process.Pid)
		dead.kill(dead.supervisor, unix.SIGKILL) // first: the death of filch would continue it
		dead.kill(dead.cmd.Process.Pid, unix.SIGKILL)
		if !endsBy(supervisor, time.Now().Add(tooLate)) { // until then it has its lock
			t.Fatalf("the supervisor, process %d, does not end", dead.supervisor)
		}
		dead.cmd.Wait()
		dead.expectAlive() // if not, this is no test
		stale := runGroupOf(t, kind, dead.cmd.Process.Pid)
		if stale == "" {
			t.Fatal("the victim was in no group")
		}
		r := newRunner(t, Config{})
		run(t, r, Command{Argv: []string{"true"}})
		dead.expectGone()
		live.expectAlive()
		for late := time.Now().Add(tooLate); len(limitGroupsOf(dead.cmd.Process.Pid)) > 0; time.Sleep(groupLookMax) { // another filch may be at it
			if time.Now().After(late) {
				t.Fatalf("%v are still there", limitGroupsOf(dead.cmd.Process.Pid))
			}
		}
		for late := time.Now().Add(tooLate); ; time.Sleep(groupLookMax) { // another filch on this machine may be at it
			if _, err := os.Stat(stale); err != nil {
				break
			}
			if time.Now().After(late) {
				t.Fatalf("%s is still there", stale)
			}
		}
		if runGroupOf(t, kind, live.cmd.Process.Pid) == "" {
			t.Error("the group of the living is gone")
		}
	})
}

// Number and start of a process do not tell everything: who holds the lock lives.
func TestLockedGroupIsNotStale(t *testing.T) {
	dir := t.TempDir()
	g, err := makeRunGroup(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	g.lock.Close() // so that the name alone tells
	if _, ok := isStale(g.dir); ok {
		t.Error("our own is stale")
	}
	if err := g.hold(); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, fmt.Sprintf(runGroupName, os.Getpid(), startOf(os.Getpid())+1, 1)) // of a process that is no more
	if err := os.Rename(g.dir, other); err != nil {
		t.Fatal(err)
	}
	if _, ok := isStale(other); ok {
		t.Error("one that is locked is stale")
	}
	g.lock.Close()
	if stale, ok := isStale(other); !ok {
		t.Error("one that nobody holds is not stale")
	} else {
		stale.lock.Close()
	}
	for _, name := range []string{"filch-run-x", "filch-run-0-1-1", "filch-1-1", "other"} {
		os.Mkdir(filepath.Join(dir, name), 0o700)
		if _, ok := isStale(filepath.Join(dir, name)); ok {
			t.Errorf("%s is stale", name)
		}
	}
}

// All commands are in the group, wherever they go, and it is removed at the end, however that comes.
func TestRunGroupHoldsEverything(t *testing.T) {
	eachRunGroupKind(t, func(t *testing.T, kind string) {
		v := startVictim(t, map[string]string{"a": escapes["plain"], "b": escapes["setsid, double fork, env -i"], "left": escapes["left behind, setsid"]})
		dir := runGroupOf(t, kind, v.cmd.Process.Pid)
		if n := len((&runGroup{dir: dir}).processes()); n < 1+len(v.escaped) {
			t.Errorf("%d processes in %q", n, dir)
		}
		supervisor := openPidfd(t, v.supervisor)
		v.kill(v.cmd.Process.Pid, unix.SIGKILL)
		v.expectGone()
		if !endsBy(supervisor, time.Now().Add(tooLate)) {
			t.Error("the supervisor is still there")
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s is left after filch, process %d, was killed", dir, v.cmd.Process.Pid)
		}
		r := newRunner(t, Config{})
		run(t, r, Command{Argv: []string{"true"}})
		if runGroupOf(t, kind, os.Getpid()) == "" {
			t.Error("no group while a Runner runs")
		}
		r.starter.(*supervisedStarter).Close()
		if dir := runGroupOf(t, kind, os.Getpid()); dir != "" {
			t.Errorf("%s is left after Close", dir)
		}
	})
}

// The groups of commands with limits, of version 2, are in the run's, which allows it the controller; and what is in
// there is found and killed with the rest.
func TestLimitedGroupsAreInTheRuns(t *testing.T) {
	run := &runGroup{dir: t.TempDir(), unified: true}
	beside := controller{name: "memory", dir: t.TempDir(), unified: true}
	around := func() *runGroup { return run }
	in := beside.inside(around)
	control, _ := os.ReadFile(filepath.Join(run.dir, "cgroup.subtree_control"))
	if in.dir != run.dir || in.name != "memory" || !in.unified || string(control) != "+memory" {
		t.Errorf("%+v, %q", in, control)
	}
	for why, around := range map[string]func() *runGroup{
		"no group":               func() *runGroup { return nil },
		"a group of version 1":   func() *runGroup { return &runGroup{dir: run.dir} },
		"a group without rights": func() *runGroup { return &runGroup{dir: filepath.Join(run.dir, "missing"), unified: true} },
	} {
		if got := beside.inside(around); got != beside {
			t.Errorf("%s: %+v", why, got)
		}
	}
	if old := (controller{name: "memory", dir: "/x"}); old.inside(around) != old {
		t.Error("one of version 1 is inside one of version 2")
	}

	membership, _ := os.ReadFile("/proc/self/cgroup")
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	c, err := findController("unified", string(mounts), string(membership))
	if err != nil || !c.unified {
		t.Skip("no cgroups of version 2 here: ", err)
	}
	g, err := makeRunGroup(c.dir, true)
	if err != nil {
		t.Skip(err)
	}
	defer g.remove()
	limited := filepath.Join(g.dir, fmt.Sprintf(groupName, os.Getpid(), 1))
	if err := os.Mkdir(limited, 0o755); err != nil {
		t.Fatal(err)
	}
	dir, err := os.Open(limited)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	cmd := exec.CommandContext(t.Context(), "sleep", "1000")
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(dir.Fd())}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if found := g.processes(); len(found) != 1 || found[0] != cmd.Process.Pid {
		t.Errorf("found %v, not %d", found, cmd.Process.Pid)
	}
	g.kill()
	cmd.Wait() // for ever, if it is not killed
}

// cgroup.kill on a cgroup2 that is mounted for this alone.
func TestKillInMountedCgroup2(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can mount")
	}
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "cgroup2", 0, ""); err != nil {
		t.Skip("cgroup2 cannot be mounted here: ", err)
	}
	defer unix.Unmount(dir, 0)
	controllers, _ := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	t.Logf("controllers of version 2 here: %q", strings.TrimSpace(string(controllers)))
	g, err := makeRunGroup(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	defer g.remove()
	if _, err := os.Stat(filepath.Join(g.dir, "cgroup.kill")); err != nil {
		t.Skip("no cgroup.kill before Linux 5.14: ", err)
	}
	v := startVictim(t, map[string]string{"plain": escapes["plain"], "ignores TERM": escapes["ignores TERM"], "stopped": escapes["stopped"]})
	for _, pid := range descendants(v.supervisor, nil) {
		home := cgroup{dir: g.home()}
		if err := home.write("cgroup.procs", fmt.Sprint(pid)); err != nil {
			t.Fatal(err)
		}
	}
	group := cgroup{dir: g.dir}
	if err := group.write("cgroup.kill", "1"); err != nil {
		t.Fatal(err)
	}
	v.expectGone()
	if left := g.processes(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
