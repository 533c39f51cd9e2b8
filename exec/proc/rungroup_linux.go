package proc

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// A runGroup is a cgroup around all commands of a Runner, whatever they become: the supervisor is
// put in there when it starts, and whatever descends from it is born there. That costs
// a command nothing. It is for finding and killing only and has no limits.
//
//	filch-run-PID-START-N       of process PID, started START ticks after boot
//	filch-run-PID-START-N/all   version 2 only: here are the supervisor and commands without limits
//	filch-run-PID-START-N/…     version 2 with controllers: those of commands with limits (limits_linux.go); those
//	                            of version 1 are elsewhere, and what is in them is in here as well
//
// Filch and the supervisor hold a lock on the directory, each its own. One that nobody
// locks and whose process is gone is stale: both were killed at once, and
// the next filch that starts in the same cgroup kills what is in there.
type runGroup struct {
	dir     string
	unified bool
	lock    *os.File // dir
}

// runGroupKinds are the hierarchies that a runGroup may be in, the best first: version 2, with
// or without controllers, and those of version 1 that nothing else of ours is in.
var runGroupKinds = []string{"unified", "freezer", "pids"}

// runGroupName is the name of a runGroup: process, its start, number in the process.
const runGroupName = "filch-run-%d-%d-%d"

// runGroupNumber is that of the last one in this process.
var runGroupNumber atomic.Uint64

// newRunGroup makes one, after it has ended what is in stale ones; nil if there is no way to.
func newRunGroup() *runGroup {
	mounts, err1 := os.ReadFile("/proc/self/mountinfo")
	membership, err2 := os.ReadFile("/proc/self/cgroup")
	if err1 != nil || err2 != nil {
		return nil
	}
	for _, kind := range runGroupKinds {
		c, err := findController(kind, string(mounts), string(membership))
		if err != nil || c.unified != (kind == "unified") {
			continue
		}
		if endStaleRuns(c.dir) {
			removeStaleLimits(string(mounts), string(membership))
		}
		if g, err := makeRunGroup(c.dir, c.unified); err == nil {
			return g
		}
	}
	return nil
}

func makeRunGroup(parent string, unified bool) (*runGroup, error) {
	name := fmt.Sprintf(runGroupName, os.Getpid(), startOf(os.Getpid()), runGroupNumber.Add(1))
	g := &runGroup{dir: filepath.Join(parent, name), unified: unified}
	if err := os.Mkdir(g.dir, 0o755); err != nil {
		return nil, err
	}
	err := g.hold()
	if err == nil && unified {
		err = os.Mkdir(g.home(), 0o755)
	}
	if err != nil {
		g.remove()
		return nil, err
	}
	return g, nil
}

// hold takes the lock that says that the group is in use.
func (g *runGroup) hold() (err error) {
	if g.lock, err = os.Open(g.dir); err != nil {
		return err
	}
	return unix.Flock(int(g.lock.Fd()), unix.LOCK_SH|unix.LOCK_NB)
}

// home is where the supervisor is.
func (g *runGroup) home() string {
	if g.unified {
		return filepath.Join(g.dir, "all")
	}
	return g.dir
}

// runGroupVariable tells the supervisor its runGroup.
const runGroupVariable = "FILCH_RUN_GROUP"

// adoptRunGroup is the supervisor's: the group that filch put it in, or nil.
func adoptRunGroup() *runGroup {
	dir := os.Getenv(runGroupVariable)
	if dir == "" {
		return nil
	}
	_, err := os.Stat(filepath.Join(dir, "all"))
	g := &runGroup{dir: dir, unified: err == nil}
	if g.hold() != nil {
		return nil
	}
	return g
}

// start forks the supervisor with fork, but in the group, of which its environment
// then tells. If that fails it is forked without.
func (g *runGroup) start(attr *syscall.ProcAttr, fork func(*syscall.ProcAttr) (int, error)) (int, error) {
	if g == nil {
		return fork(attr)
	}
	inside, sys := *attr, *attr.Sys
	inside.Env = append(attr.Env[:len(attr.Env):len(attr.Env)], runGroupVariable+"="+g.dir)
	if !g.unified {
		pid, err := fork(&inside)
		if err == nil { // nothing has been asked of it yet, so all its children come later
			cgroup{dir: g.dir}.write("cgroup.procs", strconv.Itoa(pid))
		}
		return pid, err
	}
	if home, err := os.Open(g.home()); err == nil {
		defer home.Close()
		sys.UseCgroupFD, sys.CgroupFD = true, int(home.Fd())
		inside.Sys = &sys
		if pid, err := fork(&inside); err == nil {
			return pid, nil
		}
	}
	return fork(attr) // Linux before 5.7, or something is in the way
}

// leave is the supervisor's: it goes back to where filch is, and reports whether it could.
func (g *runGroup) leave() bool {
	return g != nil && cgroup{dir: filepath.Dir(g.dir)}.write("cgroup.procs", "0") == nil
}

// kill kills what is in the group, but not the caller. It returns before they are gone.
func (g *runGroup) kill() {
	if g == nil {
		return
	}
	self := os.Getpid()
	inside := false
	for _, pid := range g.processes() {
		inside = inside || pid == self
	}
	if group := (cgroup{dir: g.dir}); !inside && group.write("cgroup.kill", "1") == nil {
		return
	}
	killAll(g.processes)
}

// processes are those in the group, without the caller's own and those that it cannot see (0).
func (g *runGroup) processes() (pids []int) {
	self := os.Getpid()
	filepath.WalkDir(g.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return nil
		}
		text, _ := os.ReadFile(filepath.Join(path, "cgroup.procs"))
		for _, f := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(f); err == nil && pid > 0 && pid != self {
				pids = append(pids, pid)
			}
		}
		return nil
	})
	return pids
}

// remove removes the group and those in it, as far as they are empty.
func (g *runGroup) remove() {
	if g == nil {
		return
	}
	var dirs []string
	filepath.WalkDir(g.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		return nil
	})
	for i := range dirs { // the innermost first
		if g := (cgroup{dir: dirs[len(dirs)-1-i]}); !g.remove() {
			break
		}
	}
	if g.lock != nil {
		g.lock.Close()
	}
}

// startOf is when a process started, in ticks after boot; 0 if there is none. With its
// number it means one process for ever.
func startOf(pid int) uint64 {
	stat, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	_, rest, _ := strings.Cut(string(stat[max(0, strings.LastIndexByte(string(stat), ')')):]), " ")
	const field = 22 - 3 // of those after the name, the first of which is the third
	f := strings.Fields(rest)
	if len(f) <= field {
		return 0
	}
	start, _ := strconv.ParseUint(f[field], 10, 64)
	return start
}

// isStale reports whether path is a runGroup whose filch and supervisor are dead, and if so holds
// its lock. The number and the start alone would not do: a filch in another PID or time namespace shows as
// another process, or none.
func isStale(path string) (g *runGroup, ok bool) {
	var pid int
	var start, number uint64
	if n, _ := fmt.Sscanf(filepath.Base(path), runGroupName, &pid, &start, &number); n != 3 || pid <= 0 || startOf(pid) == start {
		return nil, false
	}
	_, err := os.Stat(filepath.Join(path, "all"))
	g = &runGroup{dir: path, unified: err == nil}
	if g.lock, err = os.Open(path); err != nil {
		return nil, false
	}
	if err := unix.Flock(int(g.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		g.lock.Close()
		return nil, false
	}
	return g, true
}

// staleRounds bounds how often a stale group is looked at. What is still in there then, the kernel
// does not let die, and the filch after us tries again.
const staleRounds = 200

// endStaleRuns kills what is in the stale groups in dir, and removes them. It reports whether there was one.
func endStaleRuns(dir string) (found bool) {
	paths, _ := filepath.Glob(filepath.Join(dir, "filch-run-*"))
	for _, path := range paths {
		g, ok := isStale(path)
		if !ok {
			continue
		}
		found = true
		for range staleRounds {
			if len(g.processes()) == 0 {
				break
			}
			g.kill()
			unix.Poll(nil, int(groupLookFirst.Milliseconds()))
		}
		g.remove()
	}
	return found
}
