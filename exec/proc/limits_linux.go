package proc

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// limits enforces the grants of commands: by cgroups where we may make them, else
// memory by looking, and cores not at all.
type limits struct {
	root string // "" or, in tests, where proc/self and the rest are

	once        sync.Once // guards the finding of the next four
	memory, cpu controller
	memoryErr   error // why memory is not in a cgroup
	cpuErr      error

	number atomic.Uint64 // of the last command's groups

	mu   sync.Mutex // guards left
	left []cgroup   // could not be removed yet
}

func (l *limits) find() {
	l.once.Do(func() {
		mounts, err1 := os.ReadFile(l.root + "/proc/self/mountinfo")
		membership, err2 := os.ReadFile(l.root + "/proc/self/cgroup")
		for _, c := range []struct {
			name string
			to   *controller
			err  *error
		}{{"memory", &l.memory, &l.memoryErr}, {"cpu", &l.cpu, &l.cpuErr}} {
			*c.to, *c.err = findController(c.name, string(mounts), string(membership))
			c.to.dir = l.root + c.to.dir
			if *c.err == nil {
				*c.err = c.to.usable()
			}
			if err1 != nil || err2 != nil {
				*c.err = fmt.Errorf("/proc says nothing of cgroups")
			}
			if *c.err == nil {
				removeStale(c.to.dir)
			}
		}
	})
}

// groupName is the name of the groups of a filch's command.
const groupName = "filch-%d-%d" // process, command

// removeStaleLimits removes the groups that filches with limits left, of version 1: their processes were in a
// stale runGroup, too, and have been killed with it.
func removeStaleLimits(mounts, membership string) {
	for _, name := range []string{"memory", "cpu"} {
		if c, err := findController(name, mounts, membership); err == nil && !c.unified {
			removeStale(c.dir)
		}
	}
}

// removeStale removes the groups of a filch that was killed together with its supervisor. The kernel
// keeps those that have processes.
func removeStale(dir string) {
	groups, _ := filepath.Glob(filepath.Join(dir, "filch-*-*"))
	for _, g := range groups {
		var pid, number int
		if n, _ := fmt.Sscanf(filepath.Base(g), groupName, &pid, &number); n == 2 && unix.Kill(pid, 0) == unix.ESRCH {
			cgroup{dir: g}.remove()
		}
	}
}

// describe says how limits are enforced. supervised is whether there is a supervisor, without which
// nothing can start inside a cgroup.
func (l *limits) describe(supervised bool) string {
	l.find()
	memory, cpu := "by "+l.memory.String(), "by "+l.cpu.String()
	memoryErr, cpuErr := l.memoryErr, l.cpuErr
	if !supervised {
		memoryErr, cpuErr = errNoSupervisor, errNoSupervisor
	}
	if memoryErr != nil {
		memory = fmt.Sprintf("by looking every %v (no cgroup: %v)", memoryLook, memoryErr)
	}
	if cpuErr != nil {
		cpu = fmt.Sprintf("told to commands, not enforced (no cgroup: %v)", cpuErr)
	}
	return "memory: " + memory + "; cores: " + cpu
}

// groupsFor makes the groups that c's grant calls for, as far as that is possible. around tells the group
// that is around all commands, or nil.
func (l *limits) groupsFor(c *Command, around func() *runGroup) (groups []cgroup) {
	l.find()
	name := fmt.Sprintf(groupName, os.Getpid(), l.number.Add(1))
	if c.Memory > 0 && l.memoryErr == nil {
		if g, err := l.memory.inside(around).newCgroup(name, 0, c.Memory); err == nil {
			groups = append(groups, g)
		}
	}
	if c.Cores > 0 && l.cpuErr == nil {
		cpu := l.cpu.inside(around)
		if len(groups) > 0 && l.cpu.unified && l.memory.unified {
			groups[0].also(cpu, c.Cores)
		} else if g, err := cpu.newCgroup(name, c.Cores, 0); err == nil {
			groups = append(groups, g)
		}
	}
	return groups
}

// inside is c with its groups in the run's, so that what ends that ends them, too. In version 1 they cannot
// be: the run's is in a hierarchy of its own, and a command is in both. If the run's group, of version 2, does not take the
// controller, groups are made beside it, and a command in there is only found by who its ancestors are.
func (c controller) inside(around func() *runGroup) controller {
	if !c.unified {
		return c
	}
	run := around()
	if run == nil || !run.unified {
		return c
	}
	in := controller{name: c.name, dir: run.dir, unified: true}
	if in.enable() != nil { // all its processes are in leaves, so it may
		return c
	}
	return in
}

// also puts the limit of another controller on a group of version 2, which has them all.
func (g cgroup) also(c controller, cores int) {
	cgroup{c, g.dir}.limit(cores, 0)
}

// drop removes groups, or remembers them for later.
func (l *limits) drop(groups []cgroup) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, g := range groups {
		if !g.remove() {
			l.left = append(l.left, g)
		}
	}
}

// close removes what could not be removed before. Nothing runs any more.
func (l *limits) close() {
	l.mu.Lock()
	left := l.left
	l.left = nil
	l.mu.Unlock()
	for _, g := range left {
		g.remove()
	}
}

// memoryLook is how often the memory of commands is looked at where nobody else does. A command
// that allocates a gigabyte in that time gets away with it.
const memoryLook = 100 * time.Millisecond
