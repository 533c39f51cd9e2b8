package proc

import (
	"slices"

	"golang.org/x/sys/unix"
)

// descendants returns the processes below root that run, from the list of all
// processes. Those in spare, and what is below them, are left out.
//
// The list is not read at one instant: who looks must look again until there is nothing.
func descendants(root int, spare map[int]bool) []int {
	children := make(map[int][]processStat)
	eachProcess(func(p processStat) bool {
		children[p.parent] = append(children[p.parent], p)
		return true
	})
	var found []int
	todo := []int{root}
	for len(todo) > 0 {
		parent := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, p := range children[parent] {
			if spare[p.pid] {
				continue
			}
			todo = append(todo, p.pid)
			if !p.zombie {
				found = append(found, p.pid)
			}
		}
		delete(children, parent) // a list read over time may show a circle
	}
	return found
}

// stopRounds bounds how often killAll looks for processes that it has not stopped.
// Each look finds what was forked during the one before; a shell's worth of them is
// through in two, and a fork bomb in a few.
const stopRounds = 20

// killAll kills what find finds. It stops everything first, and looks again until
// it finds nothing new: what is stopped does not fork, so that processes which
// multiply cannot outrun us.
func killAll(find func() []int) {
	var stopped []int
	for range stopRounds {
		fresh := false
		for _, pid := range find() {
			if !slices.Contains(stopped, pid) {
				unix.Kill(pid, unix.SIGSTOP)
				stopped = append(stopped, pid)
				fresh = true
			}
		}
		if !fresh {
			break
		}
	}
	for _, pid := range stopped {
		unix.Kill(pid, unix.SIGKILL)
	}
}
