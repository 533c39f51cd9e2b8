//go:build unix

package doctor

import (
	"golang.org/x/sys/unix"
)

// checkDisk looks at the room where the data directory is, or will be.
func checkDisk(dir string) Finding {
	var s unix.Statfs_t
	at := existing(dir)
	if err := unix.Statfs(at, &s); err != nil {
		return Finding{"disk", Skipped, err.Error(), ""}
	}
	return judgeDisk(at, uint64(s.Bavail)*uint64(s.Bsize))
}

// checkFiles looks at the limit of open files. Go raises the soft one to the hard one.
func checkFiles() Finding {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return Finding{"open files", Skipped, err.Error(), ""}
	}
	return judgeFiles(uint64(l.Cur))
}

// writable tells whether this process may make something in a directory.
func writable(dir string) bool { return unix.Access(dir, unix.W_OK) == nil }
