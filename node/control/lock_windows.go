package control

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/windows"
)

// ErrLocked says that another process holds the lock.
var ErrLocked = errors.New("locked by another process")

// TryLock takes an exclusive lock on an open file, or returns ErrLocked at once. The lock
// lives as long as the file is open, and dies with the process.
func TryLock(f *os.File) error {
	// One byte far behind the end: what others read of the file stays readable.
	at := windows.Overlapped{Offset: 1 << 30}
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return ErrLocked
	}
	return err
}

// ownerOnly does nothing: the directory's access list is what protects the socket.
func ownerOnly(_, _ string, _ syscall.RawConn) error { return nil }
