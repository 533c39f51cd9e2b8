package proc

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// explain makes a sentence of the error that starting l ended in. The kernel
// gives one number for several causes, so it looks around once more.
func explain(l *launch, err error) error {
	var own *Failure
	if errors.As(err, &own) {
		return err
	}
	s := &StartError{Name: l.argv[0], Exit: ExitNotExecutable, Err: err}
	switch {
	case hasNUL(l.argv) || hasNUL(l.env) || hasNUL([]string{l.dir, l.path}):
		s.What = "an argument, the environment or the directory has a NUL byte in it, which no command can receive"
	case len(l.entrances) > 0 && errors.Is(err, syscall.ENODEV):
		return &Failure{Op: "cannot put " + l.argv[0] + " into its cgroup (did somebody remove that?)", Err: err}
	case exhausted(err):
		return &Failure{Op: "cannot start " + l.argv[0] + ": " + exhaustedHint(err), Err: err}
	case dirProblem(l) != nil:
		s.What, s.Err = "cannot enter the working directory "+l.dir+" (create it, or choose another)", dirProblem(l)
	case errors.Is(err, syscall.E2BIG):
		s.What = tooLong(l)
	case errors.Is(err, os.ErrNotExist) && exists(fromDir(l.dir, l.path)):
		s.Exit, s.What = ExitNotFound, "it is there, but the interpreter or loader that its first bytes name is not: install that, or correct its #! line"
	case errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENOTDIR):
		s.Exit, s.What = ExitNotFound, "no such file: check the path"
	case isDir(fromDir(l.dir, l.path)):
		s.What = "it is a directory, not a program"
	case errors.Is(err, os.ErrPermission):
		s.What = "permission denied: make it executable (chmod +x), and see that its filesystem allows that"
	case errors.Is(err, syscall.ENOEXEC):
		s.What = "not a program for this machine, and not a script"
	default:
		s.What = "it cannot be executed: " + err.Error()
	}
	return s
}

func hasNUL(list []string) bool {
	for _, s := range list {
		if strings.IndexByte(s, 0) >= 0 {
			return true
		}
	}
	return false
}

// exhausted reports whether err is about what filch has too little of.
func exhausted(err error) bool {
	for _, e := range []error{syscall.EAGAIN, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func exhaustedHint(err error) string {
	switch {
	case errors.Is(err, syscall.EAGAIN):
		return "no more processes are allowed (lower -j, or raise ulimit -u)"
	case errors.Is(err, syscall.ENOMEM):
		return "out of memory (lower -j)"
	}
	return "too many open files (lower -j, or raise ulimit -n)"
}

// dirProblem says why l's working directory cannot be entered, if so.
func dirProblem(l *launch) error {
	if l.dir == "" {
		return nil
	}
	st, err := os.Stat(l.dir + "/.") // needs the right to enter, as chdir does
	if err == nil && !st.IsDir() {
		err = syscall.ENOTDIR
	}
	return err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func isDir(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}

// maxArgument is the kernel's limit on one argument, terminator included
// (MAX_ARG_STRLEN, 32 pages of 4 KiB); it has no name that can be asked for.
const maxArgument = 128 << 10

// tooLong explains E2BIG.
func tooLong(l *launch) string {
	longest, total := 0, 0
	for _, list := range [][]string{l.argv, l.env} {
		for _, s := range list {
			longest, total = max(longest, len(s)), total+len(s)+1
		}
	}
	if longest >= maxArgument {
		return fmt.Sprintf("argument list too long: one argument has %d bytes, and the system takes %d at most: pass it in a file or on standard input", longest, maxArgument-1)
	}
	return fmt.Sprintf("argument list too long: arguments and environment take %d bytes: pass fewer at a time, or raise ulimit -s (a quarter of it is the limit)", total)
}
