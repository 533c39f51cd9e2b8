package proc

import (
	"bytes"
	"os"
	"strconv"
)

// groupLives reports whether a group that can still be signalled has a process
// that runs. Signals also reach zombies, and a process whose parent died
// stays one until init looks, which in a container may be never.
//
// The answer may be wrong by a process that was forked during the look; so the
// caller sends KILL to whatever is left in any case.
func groupLives(group int) bool {
	found := false
	told := eachProcess(func(p processStat) bool {
		found = p.group == group && !p.zombie
		return !found
	})
	return found || !told
}

// isStopped reports whether a process is, by a signal.
func isStopped(pid int) bool {
	stat, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	i := bytes.LastIndexByte(stat, ')')
	return i >= 0 && bytes.HasPrefix(stat[i+1:], []byte(" T"))
}

// A processStat is what the list of processes says of one.
type processStat struct {
	pid, parent, group int
	zombie             bool
}

// eachProcess calls f for every process until f returns false. It returns false
// if the list cannot be read.
func eachProcess(f func(processStat) bool) bool {
	proc, err := os.Open("/proc")
	if err != nil {
		return false
	}
	defer proc.Close()
	names, err := proc.Readdirnames(-1)
	if err != nil {
		return false
	}
	for _, name := range names {
		if name[0] < '0' || name[0] > '9' {
			continue
		}
		stat, err := os.ReadFile("/proc/" + name + "/stat")
		if err != nil {
			continue // it has ended meanwhile
		}
		if p, ok := parseStat(stat); ok && !f(p) {
			break
		}
	}
	return true
}

// parseStat reads a /proc/PID/stat. The line is "PID (NAME) STATE PPID PGRP …",
// and NAME can hold anything.
func parseStat(stat []byte) (p processStat, ok bool) {
	i, j := bytes.IndexByte(stat, ' '), bytes.LastIndexByte(stat, ')')
	if i < 0 || j < 0 {
		return p, false
	}
	f := bytes.Fields(stat[j+1:])
	if len(f) < 3 {
		return p, false
	}
	p.zombie = f[0][0] == 'Z' || f[0][0] == 'X'
	for _, n := range []struct {
		text []byte
		to   *int
	}{{stat[:i], &p.pid}, {f[1], &p.parent}, {f[2], &p.group}} {
		var err error
		if *n.to, err = strconv.Atoi(string(n.text)); err != nil {
			return processStat{}, false
		}
	}
	return p, true
}
