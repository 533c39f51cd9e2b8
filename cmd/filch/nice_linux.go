package main

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// setNice gives this process the nice value n, which its commands inherit. Linux
// keeps one for each thread, and a new thread has that of its maker; so we go
// through the threads until there is none that we have not seen.
func setNice(n int) error {
	done := map[int]bool{}
	for again := true; again; {
		again = false
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return fmt.Errorf("cannot list the threads of this process: %w", err)
		}
		for _, t := range threads {
			id, err := strconv.Atoi(t.Name())
			if err != nil || done[id] {
				continue
			}
			again = true
			done[id] = true
			if err := unix.Setpriority(unix.PRIO_PROCESS, id, n); err != nil && err != unix.ESRCH {
				return fmt.Errorf("cannot set the nice value %d (a lower one than before needs the right to): %w", n, err)
			}
		}
	}
	return nil
}
