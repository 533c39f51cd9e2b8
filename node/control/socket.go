package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// MaxSocketPath is how many bytes the path of a Unix socket may have: the kernel keeps
// it in a fixed array, of 108 bytes on Linux and 104 on macOS and the BSDs, with a NUL at the end.
var MaxSocketPath = map[bool]int{true: 107, false: 103}[runtime.GOOS == "linux" || runtime.GOOS == "windows"]

// ErrInUse is wrapped by the error of Listen when a living node has the socket.
var ErrInUse = errors.New("a node is running there")

// A Socket is a Unix socket that listens, with the lock that says it lives. Close
// removes the socket's file.
type Socket struct {
	net.Listener
	lock *os.File
}

// Listen listens on a Unix socket that only this user may open. The directory is made
// if it is missing. What a dead node left there is replaced; a living one's socket, and
// what is no socket, is refused.
func Listen(path string) (*Socket, error) {
	if len(path) > MaxSocketPath {
		return nil, fmt.Errorf("control socket %s: the path has %d bytes and this system allows %d for a Unix socket; choose a shorter one with --socket", path, len(path), MaxSocketPath)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	lock, err := lockBeside(path)
	if err != nil {
		return nil, err
	}
	l, err := listenLocked(path)
	if err != nil {
		lock.Close()
		return nil, err
	}
	return &Socket{Listener: l, lock: lock}, nil
}

// lockBeside takes the lock that belongs to a socket and writes who has it.
func lockBeside(path string) (*os.File, error) {
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	if err := TryLock(f); err != nil {
		defer f.Close()
		if !errors.Is(err, ErrLocked) {
			return nil, fmt.Errorf("control socket: lock %s: %w", f.Name(), err)
		}
		return nil, fmt.Errorf("control socket %s: %w%s; choose another with --socket, or end that node with: filch leave --socket %[1]s", path, ErrInUse, LockedBy(f))
	}
	if err := WriteOwner(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("control socket: %w", err)
	}
	return f, nil
}

// listenLocked listens at path, of which the lock is held, so that what is there is dead.
func listenLocked(path string) (net.Listener, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("control socket: %w", err)
	case info.Mode().Type() != fs.ModeSocket:
		return nil, fmt.Errorf("control socket %s: there is something else of that name; remove it or choose another with --socket", path)
	default:
		// Somebody who does not know our lock may be listening.
		if c, err := net.Dial("unix", path); err == nil {
			c.Close()
			return nil, fmt.Errorf("control socket %s: %w (it holds no lock, so it is no node of this version); choose another with --socket", path, ErrInUse)
		}
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("control socket: remove what a dead node left: %w", err)
		}
	}
	lc := net.ListenConfig{Control: ownerOnly}
	l, err := lc.Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, fmt.Errorf("control socket: %w", err)
	}
	return l, nil
}

// Close stops listening, removes the socket, and gives up the lock last, so that a
// successor finds nothing of ours. The lock's file stays: removing it would let two nodes
// lock two files of one name.
func (s *Socket) Close() error {
	return errors.Join(s.Listener.Close(), s.lock.Close())
}

// maxOwner bounds what is read from a lock file.
const maxOwner = 64

// WriteOwner writes this process's number into a lock file that it holds.
func WriteOwner(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return fmt.Errorf("write %s: %w", f.Name(), err)
	}
	if _, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		return fmt.Errorf("write %s: %w", f.Name(), err)
	}
	return nil
}

// LockedBy tells whose a lock file is, as " (process 12)"; "" where it does not say.
func LockedBy(f *os.File) string {
	b := make([]byte, maxOwner)
	n, _ := f.ReadAt(b, 0)
	if pid, err := strconv.Atoi(strings.TrimSpace(string(b[:n]))); err == nil && pid > 0 {
		return fmt.Sprintf(" (process %d)", pid)
	}
	return ""
}
