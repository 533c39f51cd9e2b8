//go:build unix

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// asFilch in the environment makes the test binary be filch, so that the tests run what
// was built with their own flags (-race, -cover).
const asFilch = "FILCH_TEST_AS_FILCH"

func TestMain(m *testing.M) {
	if os.Getenv(asFilch) != "" {
		os.Unsetenv(asFilch)
		main()
	}
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); name == "PARALLEL_SHELL" || strings.HasPrefix(name, "BASH_FUNC_") {
			os.Unsetenv(name)
		}
	}
	os.Setenv("FILCH_SOCKET", os.DevNull) // the tester's own node is none of our business
	os.Unsetenv("GOMAXPROCS")             // commands get their own
	os.Unsetenv("OMP_NUM_THREADS")
	os.Exit(m.Run())
}

// deadline is long after anything here has ended, and short enough to see what hangs.
const deadline = 60 * time.Second

// filch is a command that runs filch in a directory of its own.
func filch(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), self, args...)
	c.Env = append(os.Environ(), asFilch+"=1")
	c.WaitDelay = time.Second
	timer := time.AfterFunc(deadline, func() { c.Process.Signal(syscall.SIGQUIT) })
	t.Cleanup(func() { timer.Stop() })
	return c
}

// finish runs c and returns what it printed and its exit code.
func finish(t *testing.T, c *exec.Cmd) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), c.ProcessState.ExitCode()
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"A": "a\nb\n", "B": "1\n2", "empty": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "plain"), []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	weird := []string{"a'b", `a"b`, "$HOME", "`id`", "$(id)", "-n", "--", "é", "\xff\xfe", "a\\b", "*", "~", "  a  ", "a\nb\n\nc", "\t", "#", ";", "&", "|", "{}", "!", "a=b", "{1}", "'", "''", "%s"}
	for _, c := range []struct {
		name  string
		args  []string
		stdin string
		out   string
		err   string // a regular expression; "" is no output at all
		code  int
	}{
		{name: "values", args: []string{"-k", "echo", ":::", "a", "b"}, out: "a\nb\n"},
		{name: "one word command", args: []string{"-k", "echo {} x", ":::", "a", "b"}, out: "a x\nb x\n"},
		{name: "standard input", args: []string{"-k", "echo"}, stdin: "a\n\nb c", out: "a\n\nb c\n"},
		{name: "empty input", args: []string{"echo"}},
		{name: "no command, no input", args: []string{}},
		{name: "lines are commands", args: []string{"-k"}, stdin: "echo a  b | cat\necho 'c  d'\nexit 3\n\n", out: "a b\nc  d\n", code: 1},
		{name: "files", args: []string{"-k", "echo {1}{2}", "::::", "A", "B"}, out: "a1\na2\nb1\nb2\n"},
		{name: "arg-file", args: []string{"-k", "-a", "A", "--arg-file", "-", "echo", ":::", "x"}, stdin: "1\n", out: "a 1 x\nb 1 x\n"},
		{name: "NUL", args: []string{"-0k", "printf", "'%s|'"}, stdin: "a\nb\x00\x00c", out: "a\nb||c|"},
		{name: "order", args: []string{"-k", "-j4", "sleep {}; echo {}", ":::", "0.3", "0.2", "0.1", "0"}, out: "0.3\n0.2\n0.1\n0\n"},
		{name: "no order", args: []string{"-j4", "sleep {}; echo {}", ":::", "0.9", "0.6", "0.3", "0"}, out: "0\n0.3\n0.6\n0.9\n"},
		{name: "group", args: []string{"-j2", "-k", "echo {}; sleep 0.1; printf {}", ":::", "a", "b"}, out: "a\nab\nb"},
		{name: "tag", args: []string{"-k", "--tag", "printf '1\\n2%.0s'", ":::", "a", "b c", ":::", "d"}, out: "a d\t1\na d\t21\na d\t2b c d\t1\nb c d\t21\nb c d\t2"},
		{name: "tag of errors", args: []string{"--tag", "echo x >&2; false", ":::", "a"}, err: "^a\tx\n$", code: 1},
		{name: "direct", args: append([]string{"-k", "printf '%s\\0'", ":::"}, weird...), out: strings.Join(weird, "\x00") + "\x00"},
		{name: "through the shell", args: append([]string{"-k", "printf '%s\\0' {} && true", ":::"}, weird...), out: strings.Join(weird, "\x00") + "\x00"},
		{name: "parts of words", args: []string{"-k", "printf", "[%s]", "x{}y", "{1}{2}", ":::", "a b", ":::", "$c"}, out: "[xa b][$cy][a b$c]"},
		{name: "paths", args: []string{"echo {} {.} {/} {//} {/.}", ":::", "d/e.f.g"}, out: "d/e.f.g d/e.f e.f.g d e.f\n"},
		{name: "slot", args: []string{"-j1", "echo {#} {%}", ":::", "a", "b", "c"}, out: "1 1\n2 1\n3 1\n"},
		{name: "flag after command", args: []string{"echo", "-k", "--tag", ":::", "a"}, out: "-k --tag a\n"},
		{name: "dashes", args: []string{"--", "echo", ":::", "a"}, out: "a\n"},
		{name: "other names", args: []string{"--keeporder", "-P", "2", "--will-cite", "--gnu", "echo", ":::", "a"}, out: "a\n"},
		{name: "stdin of commands is empty", args: []string{"cat; echo {}", ":::", "a"}, stdin: "x\n", out: "a\n"},

		{name: "failures", args: []string{"exit {}", ":::", "0", "1", "2", "0"}, code: 2},
		{name: "signal", args: []string{"kill -9 $$; echo", ":::", "1"}, code: 1},
		{name: "many failures", args: append([]string{"false", ":::"}, make([]string, 120)...), code: 101},
		{name: "a hundred failures", args: append([]string{"false", ":::"}, make([]string, 100)...), code: 100},
		{name: "no such command", args: []string{"-k", "no-such-command", ":::", "a", "b"}, err: `(?s)^filch: .*no-such-command.*not found.*\nfilch: .*no-such-command.*not found.*\n$`, code: 2},
		{name: "not executable", args: []string{"./plain", ":::", "a"}, err: `^filch: .*plain.*\n$`, code: 1},
		{name: "no such file", args: []string{"echo", "::::", "A", "no-such-file"}, err: `^filch: .*"no-such-file".*no such file`, code: 255},
		{name: "no file name", args: []string{"echo", "::::", ""}, err: `^filch: .*"".*no such file`, code: 255},
		{name: "no arg-file name", args: []string{"-a", "", "echo"}, err: `^filch: .*"".*no such file`, code: 255},
		{name: "wrong boolean", args: []string{"--tag=maybe", "echo"}, err: `^filch: --tag: "maybe" is no good: invalid syntax`, code: 255},
		{name: "the shell's own", args: []string{"-k", "cd {} && pwd", ":::", "/"}, out: "/\n"},
		{name: "the shell's own, plain", args: []string{"-k", "command", "-v", ":::", "cd"}, out: "cd\n"},
		{name: "assignment", args: []string{"X=1 sh -c 'echo $X-$0'", ":::", "a"}, out: "1-a\n"},
		{name: "directory", args: []string{"echo", "::::", "."}, err: `^filch: .*"\.".*is a directory\n$`, code: 255},
		{name: "no such arg-file", args: []string{"-a", "no-such-file", "echo"}, err: `^filch: .*"no-such-file"`, code: 255},
		{name: "NUL in a line", args: []string{"-k", "echo"}, stdin: "a\nb\x00c\nd\n", out: "a\nd\n", err: "^filch: task 2: .*NUL.*-0", code: 1},
		{name: "Perl", args: []string{"echo", "{= s/a/b/ =}", ":::", "a"}, err: "^filch: a Perl expression .* not supported", code: 255},
		{name: "too long an argument", args: []string{"-k", "echo"}, stdin: "a\n" + strings.Repeat("x", 1<<20) + "\nb\n", out: "a\nb\n", err: "^filch: .*too long", code: 1},

		{name: "unknown flag", args: []string{"--no-such", "echo", ":::", "a"}, err: `^filch: unknown flag --no-such`, code: 255},
		{name: "misspelt flag", args: []string{"--keep-oder", "echo"}, err: `did you mean --keep-order\?\n$`, code: 255},
		{name: "unknown letter", args: []string{"-ky", "echo"}, err: `^filch: unknown flag -y `, code: 255},
		{name: "flag to come", args: []string{"--colsep", "x", "echo"}, err: `^filch: --colsep of GNU parallel is not supported yet`, code: 255},
		{name: "letter to come", args: []string{"-X", "echo"}, err: `^filch: -X of GNU parallel is not supported yet`, code: 255},
		{name: "wrong jobs", args: []string{"-j", "many", "echo"}, err: `^filch: --jobs: "many"`, code: 255},
		{name: "no jobs", args: []string{"-j0%", "echo"}, err: `^filch: --jobs: "0%"`, code: 255},
		{name: "missing value", args: []string{"-j"}, err: `^filch: .*needs an argument.*-j`, code: 255},

		{name: "dry run", args: []string{"--dry-run", "-j2", "echo {} {%}", ":::", "a b", "c", "d"}, out: "echo 'a b' 1\necho c 2\necho d 1\n"},
		{name: "dry run with tag", args: []string{"--dry-run", "--tag", "echo", ":::", "a b", "c"}, out: "a b\techo 'a b'\nc\techo c\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cmd := filch(t, append([]string{"run"}, c.args...)...)
			cmd.Dir = dir
			cmd.Stdin = strings.NewReader(c.stdin)
			out, errs, code := finish(t, cmd)
			if out != c.out || code != c.code {
				t.Errorf("got %q, exit code %d, want %q, %d", short(out), code, short(c.out), c.code)
			}
			if c.err == "" && errs != "" || !regexp.MustCompile(c.err).MatchString(errs) {
				t.Errorf("standard error is %q, want %q", short(errs), c.err)
			}
		})
	}
}

func short(s string) string {
	if len(s) > 2000 {
		return s[:1000] + "…" + s[len(s)-1000:]
	}
	return s
}

func TestVerbs(t *testing.T) {
	for _, c := range []struct {
		args string
		out  string
		err  string
		code int
	}{
		{"", "filch run", "^$", 0},
		{"--help", "Available Commands", "^$", 0},
		{"run --help", "--keep-order", "^$", 0},
		{"help run", "--keep-order", "^$", 0},
		{"version", "^filch .*\nrevision .*\ngo1", "^$", 0},
		{"version --output json", `"platform": "` + `[a-z]+/`, "^$", 0},
		{"version --output xml", "^$", "text and json", 255},
		{"version x", "^$", "^filch: ", 255},
		{"versoin", "^$", "version", 255},
		{"--keep-order", "^$", "unknown flag --keep-order", 255},
	} {
		out, errs, code := finish(t, filch(t, strings.Fields(c.args)...))
		if !regexp.MustCompile(c.out).MatchString(out) || !regexp.MustCompile(c.err).MatchString(errs) || code != c.code {
			t.Errorf("filch %s: got %q, %q, %d", c.args, out, errs, code)
		}
	}
}

// Invariant: a row is one line of output, none is lost and none comes twice.
func TestManyLines(t *testing.T) {
	const dry, wet = 100_000, 2000
	for _, c := range []struct {
		n    int
		args []string
		want string
	}{
		{dry, []string{"run", "--dry-run", "x"}, "x %d\n"},
		{wet, []string{"run", "-k", "-j3", "echo"}, "%d\n"},
	} {
		var in, want bytes.Buffer
		for i := range c.n {
			fmt.Fprintln(&in, i)
			fmt.Fprintf(&want, c.want, i)
		}
		cmd := filch(t, c.args...)
		cmd.Stdin = &in
		out, errs, code := finish(t, cmd)
		if code != 0 || errs != "" || out != want.String() {
			t.Errorf("%q: %d of %d bytes, %q, exit code %d", c.args, len(out), want.Len(), errs, code)
		}
	}
}

// Invariant: commands that run at the same time have different slots, from 1 to -j.
func TestSlotsOfRun(t *testing.T) {
	const jobs = 4
	dir := t.TempDir()
	args := []string{"run", "-j" + strconv.Itoa(jobs), "mkdir " + dir + "/{%} && sleep 0.02 && rmdir " + dir + "/{%} && echo {%}", ":::"}
	for i := range 60 {
		args = append(args, strconv.Itoa(i))
	}
	out, errs, code := finish(t, filch(t, args...))
	if code != 0 || errs != "" {
		t.Fatalf("two commands had the same slot: %q", errs)
	}
	for _, slot := range strings.Fields(out) {
		if n, err := strconv.Atoi(slot); err != nil || n < 1 || n > jobs {
			t.Errorf("slot %q", slot)
		}
	}
}

// A pidFile is where a command of a test leaves its process ID.
func pidFile(t *testing.T) (path string, read func() int) {
	path = filepath.Join(t.TempDir(), "pid")
	return path, func() int {
		var pid int
		eventually(t, "the command starts", func() bool {
			text, _ := os.ReadFile(path)
			n, _ := fmt.Sscanf(string(text), "%d\n", &pid)
			return n == 1
		})
		return pid
	}
}

// eventually polls until ok, within the deadline.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(deadline)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("not true in %v: %s", deadline, what)
		}
	}
}

// A lockedBuffer may be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func gone(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// head: the reader takes one line and goes; filch ends at once, with everything that
// runs, though what runs has nothing to print for a long time.
func TestReaderGoesAway(t *testing.T) {
	path, pid := pidFile(t)
	cmd := filch(t, "run", "-j2", "echo {}; test {} = 1 || { echo $$ > "+path+"; exec sleep 1000; }", ":::", "1", "2", "3", "4")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if line, err := bufio.NewReader(r).ReadString('\n'); line != "1\n" {
		t.Fatal(line, err)
	}
	child := pid()
	r.Close()
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 141 || errs.Len() > 0 {
		t.Errorf("exit code %d, %q", code, errs.String())
	}
	eventually(t, "the command is gone", func() bool { return gone(child) })
}

// Nobody is there to read, and nothing is printed: that is no reason to stop.
func TestNobodyReadsNothing(t *testing.T) {
	cmd := filch(t, "run", "sleep 0.2; exit {}", ":::", "0", "1", "1")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	cmd.Stdout = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 2 {
		t.Errorf("exit code %d", code)
	}
}

// After the reader has gone nothing is started any more, for -k and dry runs too.
func TestReaderGoesAwayEarly(t *testing.T) {
	for _, args := range [][]string{{"run", "-j1", "echo"}, {"run", "-k", "echo"}, {"run", "--dry-run", "echo"}} {
		cmd := filch(t, args...)
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stdout = w
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		w.Close()
		r.Close()
		for err == nil { // until filch has ended
			_, err = io.WriteString(in, "line\n")
		}
		cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 141 {
			t.Errorf("%q: exit code %d", args, code)
		}
	}
}

func TestSignals(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			path, pid := pidFile(t)
			cmd := filch(t, "run", "-j1", "echo $$ > "+path+"; sleep 1000; echo {}", ":::", "1", "2")
			var out, errs lockedBuffer
			cmd.Stdout, cmd.Stderr = &out, &errs
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			child := pid()
			cmd.Process.Signal(sig)
			if sig == syscall.SIGINT { // the first one waits
				eventually(t, "the notice", func() bool { return strings.Contains(errs.String(), "interrupt again") })
				cmd.Process.Signal(sig)
			}
			cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != 128+int(sig) {
				t.Errorf("exit code %d, %q, %q", code, out.String(), errs.String())
			}
			eventually(t, "the command is gone", func() bool { return gone(child) })
		})
	}
}

// A signal ends a run that waits for input which never comes.
func TestSignalWhileWaitingForInput(t *testing.T) {
	cmd := filch(t, "run", "echo")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	io.WriteString(in, "first\n")
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "first\n" {
		t.Fatalf("lines are not run as they come: %q, %v", line, err)
	}
	cmd.Process.Signal(syscall.SIGINT)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit code %d", code)
	}
}

// A full disk is told, and it is an error of ours.
func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	for _, args := range [][]string{{"run", "echo", ":::", "a", "b"}, {"run", "--dry-run", "echo", ":::", "a"}} {
		cmd := filch(t, args...)
		var errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = full, &errs
		cmd.Run()
		if code := cmd.ProcessState.ExitCode(); code != 255 || !strings.Contains(errs.String(), "standard output: ") || strings.Count(errs.String(), "\n") != 1 {
			t.Errorf("%q: exit code %d, %q", args, code, errs.String())
		}
	}
}

// Functions that bash exports can be run, as with parallel.
func TestExportedFunction(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip(err)
	}
	for _, args := range [][]string{{"f", ":::", "a b"}, {"f {} | cat", ":::", "a b"}, {":::", "f 'a b'"}} {
		cmd := filch(t, append([]string{"run"}, args...)...)
		cmd.Env = append(cmd.Env, "BASH_FUNC_f%%=() { echo \"f of $1\"; }")
		if out, errs, code := finish(t, cmd); out != "f of a b\n" || code != 0 {
			t.Errorf("%q: %q, %q, %d", args, out, errs, code)
		}
	}
}

// An empty line is a command that does nothing, in whatever shell.
func TestEmptyCommand(t *testing.T) {
	for _, shell := range []string{"PARALLEL_SHELL=", "PARALLEL_SHELL=/bin/sh"} {
		cmd := filch(t, "run", "-k")
		cmd.Env = append(cmd.Env, shell)
		cmd.Stdin = strings.NewReader("\n \necho a\n")
		if out, errs, code := finish(t, cmd); out != "a\n" || errs != "" || code != 0 {
			t.Errorf("%s: %q, %q, %d", shell, out, errs, code)
		}
	}
}

// TestLikeParallel runs command lines with both programs. What differs on purpose is in docs/run.md.
func TestLikeParallel(t *testing.T) {
	parallel, err := exec.LookPath("parallel")
	bash, bashErr := exec.LookPath("bash")
	if err != nil || bashErr != nil || testing.Short() {
		t.Skip("GNU parallel or bash is not installed, or -short")
	}
	t.Setenv("PARALLEL_SHELL", bash)
	for _, c := range []struct {
		args  []string
		stdin string
	}{
		{args: []string{"-k", "echo {} {.} {/} {//} {/.} {#}", ":::", "a/b.c", "x y", "$z", "'", "-n", "--help", "é"}},
		{args: []string{"-k", "--tag", "echo {2} {1}; echo e >&2", ":::", "a", "b", ":::+", "1", "2", ":::", "x y"}},
		{args: []string{"-k", "-j3", "exit {}", ":::", "0", "1", "2"}},
		{args: []string{"-k", "-j1", "echo {%}", ":::", "0", "1", "2"}},
		{args: []string{"-k"}, stdin: "echo a | tr a b\nno-such-command 2>&1 | wc -l\nfalse\n"},
		{args: []string{"-k", "-0", "printf '%s|' {}"}, stdin: "a\nb\x00c\x00"},
		{args: []string{"-k", "grep -c 'a b' {} <<<''; echo \"{}\" '{}'", ":::", "x y", "z"}},
		{args: []string{"-k", "sh -c 'echo \"$0 $1\"' x{}y", ":::", "a  b", "c"}},
		{args: []string{"-k", "{} {}", ":::", "echo a", "printf %s"}},
		{args: []string{"-k", "-r", "echo"}, stdin: "\n \na\n"},
	} {
		theirs := exec.Command(parallel, append([]string{"--will-cite"}, c.args...)...)
		theirs.Stdin = strings.NewReader(c.stdin)
		want, _, wantCode := finish(t, theirs)
		ours := filch(t, append([]string{"run"}, c.args...)...)
		ours.Stdin = strings.NewReader(c.stdin)
		if got, errs, code := finish(t, ours); got != want || code != wantCode {
			t.Errorf("%q: got %q, %d (%q), parallel %q, %d", c.args, got, code, errs, want, wantCode)
		}
	}
}
