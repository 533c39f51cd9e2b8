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
	proc, err := os.Open("/proc")
	if err != nil {
		return true // we cannot tell
	}
	defer proc.Close()
	names, err := proc.Readdirnames(-1)
	if err != nil {
		return true
	}
	for _, name := range names {
		if name[0] < '0' || name[0] > '9' {
			continue
		}
		if stat, err := os.ReadFile("/proc/" + name + "/stat"); err == nil && runsIn(stat, group) {
			return true
		}
	}
	return false
}

// runsIn reports whether the process of a /proc/PID/stat is of the group and no
// zombie. The line is "PID (NAME) STATE PPID PGRP …", and NAME can hold anything.
func runsIn(stat []byte, group int) bool {
	i := bytes.LastIndexByte(stat, ')')
	if i < 0 {
		return false
	}
	f := bytes.Fields(stat[i+1:])
	if len(f) < 3 || f[0][0] == 'Z' || f[0][0] == 'X' {
		return false
	}
	n, err := strconv.Atoi(string(f[2]))
	return err == nil && n == group
}
