//go:build unix

package node

import (
	"io/fs"
	"os"
	"syscall"
)

// owner returns whose a file is, and whether that is this process's user, or root, who
// can change everything anyway.
func owner(info fs.FileInfo) (uid uint32, mine bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, true
	}
	return s.Uid, s.Uid == 0 || int(s.Uid) == os.Geteuid()
}
