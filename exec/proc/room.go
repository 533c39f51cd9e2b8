package proc

import "context"

const (
	// filesPerCommand: two pipes, of which we hold both ends, and a pidfd.
	filesPerCommand = 5

	// filesForOthers is the share of our descriptors (one in so many) that
	// commands leave alone: for spilled output, input, and everything else.
	filesForOthers = 4

	// maxRunning: each running command has an operating-system thread that waits
	// for it, and Go ends a process that comes to 10,000.
	maxRunning = 4000
)

// roomFor is how many commands can run at once with so many open files.
func roomFor(openFiles int64) int {
	if openFiles <= 0 {
		return maxRunning
	}
	n := (openFiles - openFiles/filesForOthers) / filesPerCommand
	return int(max(1, min(n, maxRunning)))
}

// Capacity is how many commands this Runner runs at the same time: as many as
// the process's limits on open files and threads allow, which is in the
// hundreds at least on usual systems. Run waits for its turn beyond that.
func (r *Runner) Capacity() int { return cap(r.room) }

// enter waits for room for one more command; false if ctx ended first.
func (r *Runner) enter(ctx context.Context) bool {
	select {
	case r.room <- struct{}{}:
		return true
	default:
	}
	select {
	case r.room <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// leave makes room for another command.
func (r *Runner) leave() { <-r.room }
