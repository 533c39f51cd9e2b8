package proc

import (
	"os"

	"golang.org/x/sys/unix"
)

// createSpill makes a file in dir that has no name, so that it is gone with us
// in whatever way we go. On filesystems without O_TMPFILE (NFS, old overlayfs)
// it is a named file that is unlinked at once.
func createSpill(dir string) (*os.File, error) {
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err == nil {
		return os.NewFile(uintptr(fd), dir+"/(unnamed)"), nil
	}
	f, err := os.CreateTemp(dir, spillPattern)
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}

// closeSpill closes a spill file; having no name, it is gone then.
func closeSpill(f *os.File) error { return f.Close() }
