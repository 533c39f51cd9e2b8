//go:build unix

package control

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// ErrLocked says that another process holds the lock.
var ErrLocked = errors.New("locked by another process")

// TryLock takes an exclusive lock on an open file, or returns ErrLocked at once. The lock
// lives as long as the file is open, and dies with the process.
func TryLock(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrLocked
	}
	return err
}

// ownerOnly has the socket's file appear with its permissions, without a moment in which
// others could open it (Linux takes the mode of the socket; elsewhere this does nothing,
// and the umask covers the moment).
func ownerOnly(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) { _ = unix.Fchmod(int(fd), 0o600) })
}
