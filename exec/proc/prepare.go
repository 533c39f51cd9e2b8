package proc

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// noFile is what Fd of a closed os.File returns. To a starter it would mean a
// command without standard input, and then the first file it opens becomes that.
const noFile = ^uintptr(0)

// prepare decides what is executed for c, or why nothing can be.
func (r *Runner) prepare(c *Command) (*launch, error) {
	env := environmentOf(c, r.env)
	l := &launch{dir: c.Dir, env: env.list, umask: -1, foreground: c.Foreground, leash: c.Leash, signals: c.Signals, gone: make(chan struct{})}
	if c.Umask != nil {
		if l.umask = *c.Umask; l.umask < 0 || l.umask > 0o777 {
			return nil, &Failure{Op: fmt.Sprintf("the umask of a command is %#o; it must be between 0 and 0777", l.umask), Err: os.ErrInvalid}
		}
	}
	switch {
	case c.Shell != "":
		return l, r.prepareShell(l, c.Shell)
	case len(c.Argv) == 0 || c.Argv[0] == "":
		return nil, &StartError{Exit: ExitNotFound, What: "the command is empty: there is nothing to run"}
	}
	name := c.Argv[0]
	path, err := env.find(name, c.Dir)
	if c.line != "" && onlyShellKnows(env, name, path) {
		return l, r.prepareShell(l, c.line)
	}
	if err != nil {
		return nil, notFound(name, err)
	}
	l.path, l.argv = path, c.Argv
	return l, nil
}

// onlyShellKnows reports whether the first word of a line that Parse found
// plain means something else to the shell than the program at path, because of
// what is in the environment and in PATH.
func onlyShellKnows(e *environment, name, path string) bool {
	return e.everything || e.shellOnly[name] || twinWords[name] && !isTwin(path)
}

// prepareShell makes l run a script. A blank keeps a script that begins with "-"
// or "+" from being taken for options.
func (r *Runner) prepareShell(l *launch, script string) error {
	if r.shell == "" {
		return &StartError{Name: "sh", Exit: ExitNotFound, What: "there is no shell on this system: give the command without shell syntax"}
	}
	if c := script[0]; c == '-' || c == '+' {
		script = " " + script
	}
	l.path, l.argv = r.shell, []string{"sh", "-c", script}
	return nil
}

// notFound is the error for a name that find did not find.
func notFound(name string, err error) *StartError {
	if errors.Is(err, fs.ErrPermission) {
		return &StartError{Name: name, Exit: ExitNotExecutable, Err: err,
			What: "found in PATH, but not executable: check its permissions"}
	}
	return &StartError{Name: name, Exit: ExitNotFound, Err: err,
		What: "command not found: install it, or give its path"}
}

// fromDir is p as we see it, where a process in dir sees p. It does not clean the
// path: "link/../p" is not "p".
func fromDir(dir, p string) string {
	if dir == "" || filepath.IsAbs(p) {
		return p
	}
	return dir + "/" + p
}

// asScript makes l run its file with the shell, as a shell does with a program
// that the kernel cannot execute (ENOEXEC) because it has no "#!" line. It
// reports whether the file looks like a script: an empty one does, one with a
// NUL byte in its first line does not (bash's rule; dash would try to read even
// a foreign executable).
func (r *Runner) asScript(l *launch) bool {
	f, err := os.Open(fromDir(l.dir, l.path))
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 512)
	n, _ := f.Read(head)
	first, _, _ := strings.Cut(string(head[:n]), "\n")
	if r.shell == "" || strings.IndexByte(first, 0) >= 0 {
		return false
	}
	file := l.path
	if file[0] == '-' || file[0] == '+' {
		file = "./" + file
	}
	l.path, l.argv = r.shell, append([]string{"sh", file}, l.argv[1:]...)
	return true
}
