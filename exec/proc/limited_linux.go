package proc

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

var errNoSupervisor = errors.New("this program has no supervisor")

// A limited is a running command whose memory is watched.
type limited struct {
	groups []cgroup // what it was started in
	limit  int64
	p      process
	over   chan struct{} // closed by rest
	gone   chan struct{} // closed by look; nil while nothing is watched
	peak   int64         // the watch's until gone is closed; bytes
	killed bool          // likewise: it had too much
}

// prepareLimits makes what l has to be started in.
func (r *Runner) prepareLimits(c *Command, l *launch) (*limited, error) {
	if c.Memory <= 0 && c.Cores <= 0 {
		return nil, nil
	}
	w := &limited{limit: c.Memory}
	s, ok := r.starter.(*supervisedStarter)
	if !ok {
		return w, nil
	}
	w.groups = r.limits.groupsFor(c, s.runGroup)
	for _, g := range w.groups {
		files, err := g.entrances()
		if err != nil {
			w.drop(r, l)
			return nil, &Failure{Op: "cannot open the cgroup of a command: " + exhaustedHint(err), Err: err}
		}
		l.entrances = append(l.entrances, files...)
		l.unified = g.unified
	}
	return w, nil
}

// watch begins to look after p.
func (w *limited) watch(p process) {
	if w == nil || w.limit <= 0 {
		return
	}
	w.p, w.over, w.gone = p, make(chan struct{}), make(chan struct{})
	go w.look(w.gone)
}

func (w *limited) look(gone chan struct{}) {
	defer close(gone)
	tick := time.NewTicker(memoryLook)
	defer tick.Stop()
	for {
		select {
		case <-w.over:
			return
		case <-tick.C:
		}
		if w.tooMuch() {
			w.killed = true
			w.kill() // again and again, until it has ended
		}
	}
}

// tooMuch looks once.
func (w *limited) tooMuch() bool {
	if g, ok := w.memoryGroup(); ok {
		return g.outOfMemory() // the kernel killed one of it, and may have left others
	}
	pid := w.p.pid()
	if pid <= 0 {
		return false
	}
	tree := treeOf(pid)
	used := sum(tree, residentPages) // counts what processes share several times
	if used > w.limit {
		if exact := sum(tree, proportional); exact > 0 {
			used = exact
		}
	}
	w.peak = max(w.peak, used)
	return used > w.limit
}

func (w *limited) memoryGroup() (cgroup, bool) {
	for _, g := range w.groups {
		if g.name == "memory" {
			return g, true
		}
	}
	return cgroup{}, false
}

// kill ends the command and what belongs to it, in whatever group.
func (w *limited) kill() {
	tree := treeOf(w.p.pid())
	w.p.signal(unix.SIGKILL)
	for _, pid := range tree {
		unix.Kill(pid, unix.SIGKILL)
	}
}

// rest ends the watch; the command has ended.
func (w *limited) rest() {
	if w != nil && w.gone != nil {
		close(w.over)
		<-w.gone
		w.gone = nil
	}
}

// report puts what was seen into res. It comes after rest.
func (w *limited) report(res *Result) {
	if w == nil {
		return
	}
	if g, ok := w.memoryGroup(); ok {
		w.killed = w.killed || g.outOfMemory()
		if peak := g.peak(); peak > 0 {
			w.peak, res.Usage.MaxMemory = peak, 0 // the kernel knows better now
		}
	}
	res.Usage.MaxMemory = max(res.Usage.MaxMemory, w.peak)
	if w.killed {
		res.outOfMemory(&MemoryError{Limit: w.limit, Peak: res.Usage.MaxMemory})
	}
}

// leastMemory is more than the kernel needs for a process that has not executed its program yet.
const leastMemory = 1 << 20

// tooLittle reports whether err, for which the command did not start, comes from a limit that does not even
// hold a process. The kernel then names what it has too little memory for, such as an open file, and counts
// no failure of the group's.
func (w *limited) tooLittle(err error) bool {
	if w == nil || w.limit >= leastMemory || !exhausted(err) {
		return false
	}
	_, ok := w.memoryGroup()
	return ok
}

// drop frees what prepareLimits made. It is for a nil w too.
func (w *limited) drop(r *Runner, l *launch) {
	if w == nil {
		return
	}
	for _, f := range l.entrances {
		f.Close()
	}
	l.entrances = nil
	r.limits.drop(w.groups)
}

// treeOf returns the process pid, what descends from it, and the rest of the group
// that it leads.
func treeOf(pid int) []int {
	tree := append(descendants(pid, nil), pid)
	in := make(map[int]bool, len(tree))
	for _, p := range tree {
		in[p] = true
	}
	eachProcess(func(p processStat) bool {
		if p.group == pid && !p.zombie && !in[p.pid] {
			tree = append(tree, p.pid)
		}
		return true
	})
	return tree
}

func sum(pids []int, of func(pid int) int64) (n int64) {
	for _, pid := range pids {
		n += of(pid)
	}
	return n
}

// residentPages is the resident set of a process, bytes. The line is "SIZE RESIDENT …" in pages.
func residentPages(pid int) int64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	var size, resident int64
	fmt.Sscan(string(text), &size, &resident)
	return resident * int64(os.Getpagesize())
}

// proportional is the resident set of a process with what it shares divided by
// the number of those it shares it with; 0 if that is unknown.
func proportional(pid int) int64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
			var kib int64
			fmt.Sscan(rest, &kib)
			return kib << 10
		}
	}
	return 0
}

// MemoryWithoutCgroup and CoresWithoutCgroup say how a grant is enforced where there is no cgroup.
const (
	MemoryWithoutCgroup = "looked at ten times a second"
	CoresWithoutCgroup  = "told to commands, but not enforced"
)

// NoCgroup says why the memory and the cores that c is granted are not enforced by a
// cgroup. Each is nil if they are, or if c is granted none. It is safe for concurrent use.
func (r *Runner) NoCgroup(c Command) (memory, cores error) {
	if c.Memory <= 0 && c.Cores <= 0 {
		return nil, nil
	}
	memory, cores = errNoSupervisor, errNoSupervisor
	if _, supervised := r.starter.(*supervisedStarter); supervised {
		r.limits.find()
		memory, cores = r.limits.memoryErr, r.limits.cpuErr
	}
	if c.Memory <= 0 {
		memory = nil
	}
	if c.Cores <= 0 {
		cores = nil
	}
	return memory, cores
}

// Limits says in words how the grants of commands (Command.Memory, Command.Cores) are
// enforced on this machine, and why not better.
func (r *Runner) Limits() string {
	_, supervised := r.starter.(*supervisedStarter)
	return r.limits.describe(supervised)
}
