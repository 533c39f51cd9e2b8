//go:build linux

package nodes

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A stat is what /proc says of a process.
type stat struct {
	pid, parent int
	state       byte
	started     string // a number may be given twice, but not with the same start
	line        string
}

func stats() (all []stat) {
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // it has just ended
		}
		var s stat
		s.pid, _ = strconv.Atoi(filepath.Base(filepath.Dir(path)))
		fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		s.state, s.started = fields[0][0], fields[19]
		s.parent, _ = strconv.Atoi(fields[1])
		line, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		s.line = strings.TrimSpace(string(bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
		all = append(all, s)
	}
	return all
}

func (s stat) name() string { return fmt.Sprintf("%d/%s", s.pid, s.started) }

// descendants names the processes below one.
func descendants(pid int) (names []string) {
	children := make(map[int][]stat)
	for _, s := range stats() {
		children[s.parent] = append(children[s.parent], s)
	}
	for next := children[pid]; len(next) > 0; next = next[1:] {
		names = append(names, next[0].name())
		next = append(next, children[next[0].pid]...)
	}
	return names
}

// Alive tells which of those that Kill named still run, with their command lines.
func Alive(names []string) (alive []string) {
	was := make(map[string]bool)
	for _, n := range names {
		was[n] = true
	}
	for _, s := range stats() {
		if was[s.name()] && s.state != 'Z' && s.state != 'X' { // nobody reaps orphans here
			alive = append(alive, fmt.Sprintf("%d %s (%s)", s.pid, s.line, string(s.state)))
		}
	}
	return alive
}
