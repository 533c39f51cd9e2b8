//go:build !windows

package proc

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// shellPath is the shell of `sh -c`.
const shellPath = "/bin/sh"

// find returns the path to execute for name as execvp(3) and the shells find
// it: the first file in PATH that we may execute. If there is only one that we
// may not execute the error is fs.ErrPermission, else fs.ErrNotExist. dir is the working
// directory of the command, which relative elements of PATH refer to.
//
// Nothing is remembered: a look at four directories takes 4 µs of the
// 500 and more that starting a command takes, and no cache of paths can know of
// a program that was installed into an earlier directory since.
func (e *environment) find(name, dir string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	err := fs.ErrNotExist
	for _, d := range e.path {
		if d == "" {
			d = "."
		}
		p := d + "/" + name
		switch e := executable(fromDir(dir, p)); {
		case e == nil:
			return p, nil
		case errors.Is(e, fs.ErrPermission):
			err = fs.ErrPermission
		}
	}
	return "", err
}

// executable returns nil if path is a file that we may execute, EACCES if it is
// there but we may not.
func executable(path string) error {
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil {
		return err
	}
	if st.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return syscall.EACCES
	}
	return unix.Faccessat(unix.AT_FDCWD, path, unix.X_OK, unix.AT_EACCESS)
}

// isTwin reports whether path is the system's own program of that name.
func isTwin(path string) bool {
	return strings.HasPrefix(path, "/bin/") || strings.HasPrefix(path, "/usr/bin/")
}

// findShell returns the path of the shell, which some systems (Termux) have
// elsewhere.
func findShell() (string, error) {
	if _, err := os.Stat(shellPath); err == nil {
		return shellPath, nil
	}
	return callersEnvironment().find("sh", "")
}
