//go:build unix

package proc

import "syscall"

// openFiles is how many descriptors this process may have, or 0 if that is unknown.
// Go has raised the soft limit to the hard one at start, and gives commands the
// old one back.
func openFiles() int64 {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil || l.Cur > 1<<30 {
		return 0
	}
	return int64(l.Cur)
}
