package proc

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// cpuPeriod is the period of CPU quotas, microseconds: the kernel's default.
const cpuPeriod = 100_000

// A cgroup is the group of one command for one controller.
type cgroup struct {
	controller
	dir string
}

// newCgroup makes a group for a command with a grant.
func (c controller) newCgroup(name string, cores int, memory int64) (g cgroup, err error) {
	g = cgroup{c, filepath.Join(c.dir, name)}
	if err := os.Mkdir(g.dir, 0o755); err != nil {
		return g, err
	}
	if err := g.limit(cores, memory); err != nil {
		os.Remove(g.dir)
		return g, err
	}
	return g, nil
}

func (g cgroup) limit(cores int, memory int64) error {
	switch {
	case g.name == "memory" && g.unified:
		g.write("memory.oom.group", "1") // since Linux 4.19; we kill what is left anyway
		g.write("memory.swap.max", "0")  // only where there is swap
		return g.write("memory.max", strconv.FormatInt(memory, 10))
	case g.name == "memory":
		if err := g.write("memory.limit_in_bytes", strconv.FormatInt(memory, 10)); err != nil {
			return err
		}
		g.write("memory.memsw.limit_in_bytes", strconv.FormatInt(memory, 10)) // only where swap is accounted
		return nil
	case g.unified:
		return g.write("cpu.max", fmt.Sprintf("%d %d", cores*cpuPeriod, cpuPeriod))
	}
	if err := g.write("cpu.cfs_period_us", strconv.Itoa(cpuPeriod)); err != nil {
		return err
	}
	return g.write("cpu.cfs_quota_us", strconv.Itoa(cores*cpuPeriod))
}

func (g cgroup) write(file, value string) error {
	f, err := os.OpenFile(filepath.Join(g.dir, file), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

// entrances are what a thread that forks into the group needs: version 2, the group
// itself; version 1, the list of its tasks and that of ours, to go back to.
func (g cgroup) entrances() ([]*os.File, error) {
	if g.unified {
		f, err := os.Open(g.dir)
		return []*os.File{f}, err
	}
	in, err := os.OpenFile(filepath.Join(g.dir, "tasks"), os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	out, err := os.OpenFile(filepath.Join(g.controller.dir, "tasks"), os.O_WRONLY, 0)
	if err != nil {
		in.Close()
		return nil, err
	}
	return []*os.File{in, out}, nil
}

// outOfMemory reports whether the kernel killed something of the group for its memory.
func (g cgroup) outOfMemory() bool {
	file := "memory.oom_control"
	if g.unified {
		file = "memory.events"
	}
	text, _ := os.ReadFile(filepath.Join(g.dir, file))
	for line := range strings.Lines(string(text)) {
		if n, ok := strings.CutPrefix(strings.TrimSpace(line), "oom_kill "); ok {
			return n != "0"
		}
	}
	return false
}

// peak is the most memory that the group had, files that the kernel kept for it
// included; 0 if that is unknown.
func (g cgroup) peak() int64 {
	file := "memory.max_usage_in_bytes"
	if g.unified {
		file = "memory.peak" // since Linux 5.19
	}
	text, _ := os.ReadFile(filepath.Join(g.dir, file))
	n, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n
}

const (
	// removePatience is how long remove tries. The kernel is done with a process a
	// little after its parent has heard of the end.
	removePatience = 100 * time.Millisecond
	removeLook     = 200 * time.Microsecond
)

// remove removes the group, and reports whether it is gone: it is not while a process that the
// command left behind is in it.
func (g cgroup) remove() bool {
	for late := time.Now().Add(removePatience); ; time.Sleep(removeLook) {
		err := os.Remove(g.dir)
		if err == nil || errors.Is(err, os.ErrNotExist) {
			return true
		}
		if procs, _ := os.ReadFile(filepath.Join(g.dir, "cgroup.procs")); len(procs) > 0 || time.Now().After(late) {
			return false
		}
	}
}
