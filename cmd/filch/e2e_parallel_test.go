//go:build unix

package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// asParallel are command lines of which output, exit code and the files that they leave
// are to be those of GNU parallel, apart from times. What differs on purpose is in docs/run.md.
var asParallel = map[string][]string{
	"line-buffer":       {"-j1", "--line-buffer", "--tag", "echo {}; printf x", ":::", "a", "b"},
	"ungroup":           {"-u", "--tag", "-j1", "echo", ":::", "a", "b"},
	"max-args":          {"-k", "-n2", "--tag", "echo", ":::", "a", "b", "c"},
	"max-args twice":    {"-k", "-n2", "-n3", "echo", ":::", "a", "b", "c", "d"},
	"huge max-args":     {"-k", "-n", "99999999999999", "echo", ":::", "a", "b"},
	"no args":           {"-k", "-n0", "--tag", "echo x", ":::", "a", "b"},
	"timeout":           {"-j2", "--timeout", "1", "--joblog", "log", "sleep {}; echo {}", ":::", "1000", "0"},
	"retries":           {"-j1", "--retries", "3", "--joblog", "log", "echo {} >> tries; echo {}; exit {}", ":::", "0", "1", "2"},
	"retries and halt":  {"-j1", "--retries", "3", "--halt", "now,fail=1", "--joblog", "log", "echo {} >> tries; exit {}", ":::", "0", "5", "2"},
	"signals":           {"-j1", "--joblog", "log", "kill -{} $$; :", ":::", "9", "15", "1"},
	"no such program":   {"-j1", "--joblog", "log", "no-such-program", ":::", "a"},
	"results":           {"-j1", "--results", "out", "--joblog", "log", "echo {}; echo e >&2; exit {#}", ":::", "a", "b/c", "d e", "t\tb"},
	"results, sources":  {"-j1", "--results", "out/", "echo {2}{1}", ":::", "a", "b", ":::", "1", "2", ":::+", "x", "y"},
	"results, max-args": {"-j1", "--results", "out", "-n2", "echo", ":::", "a", "b", "c", ":::", "1", "2"},
	"results, tag":      {"-j1", "--results", "out", "--tag", "-k", "echo", ":::", "a"},
	"results, no input": {"--results", "out", "--joblog", "log", "echo", "::::", "/dev/null"},
	"quote":             {"-q", "printf", "%s|", "a  b", "$HOME", "{}", ":::", "x y"},
	"quote, max-args":   {"-k", "-n2", "-q", "echo", "x {} |", ":::", "a b", "c"},
	"delay":             {"-k", "--delay", "0.01", "echo", ":::", "a", "b"},
	"workdir":           {"--workdir", "/", "pwd; true", ":::", "a"},
	"nice":              {"--nice", "7", "nice; true", ":::", "a"},
	"log twice":         {"-j1", "--joblog", "l", "--joblog", "log", "echo", ":::", "a"},
	"nothing to resume": {"-j1", "--resume", "--joblog", "log", "echo", ":::", "a", "b"},
	"dry run":           {"-k", "--dry-run", "--joblog", "log", "-n2", "echo", ":::", "a", "b", "c"},
}

// TestFlagsLikeParallel runs them with both programs, each in a directory of its own.
func TestFlagsLikeParallel(t *testing.T) {
	parallel := parallelOrSkip(t)
	for name, args := range asParallel {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sameAs(t, parallel, args)
		})
	}
}

// The log of a run and its exit code are parallel's, whatever --halt says.
func TestHaltAndLogLikeParallel(t *testing.T) {
	parallel := parallelOrSkip(t)
	for _, halt := range []string{"never", "now,fail=1", "soon,fail=2", "now,success=1", "soon,done=2", "now,fail=50%", "now,done=75%", "soon,success=50%",
		"soon,fail=90%", "now,success=100%", "now,fail=9", "2", "30%", "0", "1", "-1", "-2"} {
		t.Run(halt, func(t *testing.T) {
			t.Parallel()
			sameAs(t, parallel, []string{"-j1", "-k", "--halt", halt, "--joblog", "log", "echo {}; exit {}", ":::", "0", "3", "1", "0"})
		})
	}
}

// A log of parallel's is resumed by filch, and the other way round.
func TestResumeLikeParallel(t *testing.T) {
	parallel := parallelOrSkip(t)
	programs := map[string]func(...string) *exec.Cmd{
		"parallel": func(args ...string) *exec.Cmd {
			return exec.Command(parallel, append([]string{"--will-cite"}, args...)...)
		},
		"filch": func(args ...string) *exec.Cmd { return filch(t, append([]string{"run"}, args...)...) },
	}
	for _, first := range []string{"parallel", "filch"} {
		for _, second := range []string{"parallel", "filch"} {
			dir := t.TempDir()
			args := []string{"-j1", "--resume", "--joblog", "log", "echo {}; test {} != b", ":::", "a", "b"}
			for i, c := range []struct{ program, want string }{{first, "a\nb\n"}, {second, "c d\n"}} {
				if i == 1 {
					args = append(args, "c d")
				}
				cmd := programs[c.program](args...)
				cmd.Dir = dir
				if out, errs, code := finish(t, cmd); out != c.want || code != 1-i {
					t.Errorf("%s after %s: got %q, %q, %d, want %q", second, first, out, errs, code, c.want)
				}
			}
		}
	}
}

// parallelOrSkip is the path of GNU parallel. Its commands are run by the same shell as ours.
func parallelOrSkip(t *testing.T) string {
	path, err := exec.LookPath("parallel")
	if err != nil || testing.Short() {
		t.Skip("GNU parallel is not installed, or -short")
	}
	t.Setenv("PARALLEL_SHELL", "/bin/sh")
	t.Setenv("PARALLEL_HOME", t.TempDir())
	return path
}

// sameAs runs both programs and compares what they leave.
func sameAs(t *testing.T, parallel string, args []string) {
	theirs := exec.Command(parallel, append([]string{"--will-cite"}, args...)...)
	theirs.Dir = t.TempDir()
	want, said, wantCode := finish(t, theirs)
	ours := filch(t, append([]string{"run"}, args...)...)
	ours.Dir = t.TempDir()
	got, errs, code := finish(t, ours)
	if got != want || code != wantCode {
		t.Errorf("got %q, %d (%q), parallel %q, %d (%q)", got, code, errs, want, wantCode, said)
	}
	if got, want := filesIn(t, ours.Dir), filesIn(t, theirs.Dir); got != want {
		t.Errorf("filch leaves\n%s, parallel\n%s", got, want)
	}
}

// logTimes are the columns of a job log that are never the same twice.
var logTimes = regexp.MustCompile(`(?m)^(\d+\t:\t)[0-9.]+\t *[0-9.]+`)

// filesIn lists the files below dir with what is in them.
func filesIn(t *testing.T, dir string) string {
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		fmt.Fprintf(&b, "%s: %q\n", strings.TrimPrefix(path, dir), logTimes.ReplaceAll(text, []byte("$1")))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
