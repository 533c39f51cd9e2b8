//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestRunFlags: what each flag of run is for, on one command line.
func TestRunFlags(t *testing.T) {
	for _, c := range []struct {
		name  string
		args  []string
		stdin string
		out   string // regular expressions
		err   string
		code  int
	}{
		{"max-args", []string{"-k", "-n2", "echo"}, "1\n2\n3\n", "^1 2\n3\n$", "^$", 0},
		{"no args", []string{"-k", "-n", "0", "echo x"}, "1\n2\n", "^x\nx\n$", "^$", 0},
		{"negative args", []string{"-n-1", "echo"}, "", "^$", "^filch: --max-args: ", 255},
		{"quote", []string{"-q", "printf", "%s|", "a  b", "$HOME", "{}", ":::", "x y"}, "", `^a  b\|\$HOME\|x y\|$`, "^$", 0},
		{"timeout", []string{"--timeout", "0.2", "exec sleep 1000 #", ":::", "1"}, "", "^$", "^filch: task 1 ended after 200ms, its time-out: exec sleep 1000 # 1\n$", 1},
		{"timeout of the median", []string{"-j2", "--timeout", "400%", "exec sleep {} #", ":::", "1000", "0.1", "0.1", "0.1"}, "", "^$", "^filch: task 1 ended after .*: exec sleep 1000 #\n$", 1},
		{"wrong timeout", []string{"--timeout", "soon", "echo"}, "", "^$", `^filch: --timeout: "soon" is not a time`, 255},
		{"empty timeout", []string{"--timeout=", "echo"}, "", "^$", `^filch: --timeout: "" is not a time`, 255},
		{"retries", []string{"-j1", "--retries", "3", "echo x >> {}; echo $(wc -l < {}); test $(wc -l < {}) = 3", ":::", "tries"}, "", "^3\n$", "^$", 0},
		{"retries spent", []string{"--retries", "2", "echo x; false #", ":::", "1"}, "", "^x\n$", "^$", 1},
		{"retry until", []string{"--retries", "0", "echo x >> {}; test $(wc -l < {}) = 5", ":::", "until"}, "", "^$", "^$", 0},
		{"variables", []string{"-j1", "--job", "nightly", "--retries", "2", "echo $FILCH_JOB_ID $FILCH_TASK_ID $FILCH_ATTEMPT; test $FILCH_ATTEMPT = 2 #", ":::", "a", "b"}, "", "^nightly 1 2\nnightly 2 2\n$", "^$", 0},
		{"variables of live commands", []string{"-j1", "-u", "--job", "nightly", "--retries", "2", "echo $FILCH_JOB_ID $FILCH_TASK_ID $FILCH_ATTEMPT; test $FILCH_ATTEMPT = 2 #", ":::", "a"}, "", "^nightly 1 1\nnightly 1 2\n$", "^$", 0},
		{"variables of cores", []string{"--cores", "1", "echo $OMP_NUM_THREADS $GOMAXPROCS #", ":::", "a"}, "", "^1 1\n$", "^$", 0},
		{"halt now", []string{"-j2", "-k", "--halt", "now,fail=1", "{}", ":::", "exec sleep 1000", "echo bad; exit 7", "echo never"}, "", "^bad\n$", "^filch: halting: ending", 7},
		{"halt success", []string{"-j1", "--halt", "now,success=1", "exit {}", ":::", "1", "0", "1"}, "", "^$", "^filch: halting", 0},
		{"halt percent", []string{"-j1", "--quiet", "--halt", "now,fail=50%", "exit {}", ":::", "0", "3", "1", "0"}, "", "^$", "^$", 50},
		{"wrong halt", []string{"--halt", "later", "echo"}, "", "^$", "^filch: --halt: .*now,fail=1", 255},
		{"line-buffer", []string{"-j1", "--line-buffer", "--tag", "echo {}; printf 2; echo e >&2", ":::", "a", "b"}, "", "^a\ta\na\t2b\tb\nb\t2$", "^a\te\nb\te\n$", 0},
		{"ungroup", []string{"-u", "-j1", "echo {}; echo e >&2", ":::", "a"}, "", "^a\n$", "^e\n$", 0},
		{"not grouped", []string{"--group=false", "echo"}, "", "^$", "^filch: --group=false: ", 255},
		{"ungroup in order", []string{"-u", "-k", "echo"}, "", "^$", "^filch: --line-buffer and --ungroup", 255},
		{"workdir", []string{"--workdir", "/", "pwd; true", ":::", "a"}, "", "^/\n$", "^$", 0},
		{"no workdir", []string{"--workdir", "/no-such", "pwd", ":::", "a"}, "", "^$", "^filch: --workdir: .*no such", 255},
		{"nice", []string{"--nice", "7", "nice; true", ":::", "a"}, "", "^7\n$", "^$", 0},
		{"too nice", []string{"--nice", "20", "nice", ":::", "a"}, "", "^$", "^filch: --nice: 20", 255},
		{"cores", []string{"--cores", "100000", "true", ":::", "a"}, "", "^$", "^filch: no command could ever start: .*--cores", 255},
		{"memory", []string{"--mem", "1000T", "true", ":::", "a"}, "", "^$", "^filch: no command could ever start: .*--mem", 255},
		{"some memory", []string{"-k", "--mem", "1M", "echo", ":::", "a", "b"}, "", "^a\nb\n$", "^$", 0},
		{"wrong memory", []string{"--mem", "much", "true", ":::", "a"}, "", "^$", `^filch: --mem: "much"`, 255},
		{"job", []string{"--job", "nightly", "--delay", "0.01", "--bar", "--eta", "echo", ":::", "a"}, "", "^a\n$", "^$", 0},
		{"resume nothing", []string{"--resume", "echo", ":::", "a"}, "", "^$", "^filch: --resume needs --joblog", 255},
		{"resume with slots", []string{"--resume", "--joblog", "l", "echo {%}", ":::", "a"}, "", "^$", "^filch: --resume: {%}", 255},
		{"log to nowhere", []string{"--joblog", "/no-such/log", "echo", ":::", "a"}, "", "^$", "^filch: cannot open the job log: .*no such", 255},
		{"log to a full disk", []string{"-j1", "--joblog", "/dev/full", "echo", ":::", "a", "b"}, "", "^$", "^filch: cannot .*job log.*no space left", 255},
		{"results to a full disk", []string{"--results", "/dev/full/x", "echo", ":::", "a"}, "", "^$", "^filch: cannot save the output of task 1: ", 255},
		{"results as a table", []string{"--results", "x.csv", "echo", ":::", "a"}, "", "^$", "^filch: --results: only the name of a directory", 255},
		{"json with tag", []string{"-o", "json", "--tag", "echo", ":::", "a"}, "", "^$", "^filch: --output json", 255},
		{"unbalanced quotes", []string{"echo 'a", ":::", "b"}, "", "^$", "(?i)^sh: .*(unterminated|unexpected)", 1},
		{"a megabyte", []string{"echo {} | wc -c"}, strings.Repeat("x", 1<<20) + "\n", "^$", "^filch: .*too long", 1},
		{"binary command", []string{"\xff\xfe\x01", ":::", "a"}, "", "^$", "not found\n$", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cmd := filch(t, append([]string{"run"}, c.args...)...)
			cmd.Dir = t.TempDir()
			cmd.Stdin = strings.NewReader(c.stdin)
			out, errs, code := finish(t, cmd)
			if !regexp.MustCompile(c.out).MatchString(out) || !regexp.MustCompile(c.err).MatchString(errs) || code != c.code {
				t.Errorf("got %q, %q, exit code %d, want %q, %q, %d", short(out), short(errs), code, c.out, c.err, c.code)
			}
		})
	}
}

// Lines come out while their commands run: the command waits until its line was read.
func TestLinesComeAsTheyAre(t *testing.T) {
	for _, flag := range []string{"--line-buffer", "--ungroup"} {
		dir := t.TempDir()
		cmd := filch(t, "run", flag, "echo {}; until test -e seen; do sleep 0.01; done; echo end", ":::", "a")
		cmd.Dir = dir
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line := make([]byte, 2)
		if _, err := out.Read(line); err != nil || string(line) != "a\n" {
			t.Errorf("%s: %q, %v", flag, line, err)
		}
		os.WriteFile(filepath.Join(dir, "seen"), nil, 0o600)
		rest := make([]byte, 4)
		out.Read(rest)
		if err := cmd.Wait(); err != nil || string(rest) != "end\n" {
			t.Errorf("%s: %q, %v", flag, rest, err)
		}
	}
}

// A log is resumed: what it has is left out if the command is the same, and a torn line counts for nothing.
func TestResume(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	run := func(want string, code int, args ...string) {
		t.Helper()
		cmd := filch(t, append([]string{"run", "-k", "--joblog", log}, args...)...)
		if out, errs, got := finish(t, cmd); out != want || got != code || errs != "" {
			t.Errorf("%q: got %q, %q, %d", args, out, errs, got)
		}
	}
	run("a\nb\n", 0, "echo", ":::", "a", "b")
	run("c\n", 0, "--resume", "echo", ":::", "a", "b", "c")
	run("x\nc2\n", 0, "--resume", "echo", ":::", "a", "x", "c2") // inputs have changed
	run("x y\n", 0, "--resume", "echo {}", ":::", "a", "x", "c2", "x y")
	text, err := os.ReadFile(log)
	if err != nil || strings.Count(string(text), "\n") != 7 || strings.Count(string(text), "Seq\t") != 1 {
		t.Errorf("%q, %v", text, err)
	}
	torn := text[:len(text)-4]
	if err := os.WriteFile(log, torn, 0o600); err != nil {
		t.Fatal(err)
	}
	run("x y\n", 0, "--resume", "echo", ":::", "a", "x", "c2", "x y")
	again, _ := os.ReadFile(log)
	if want := text[:strings.LastIndex(strings.TrimSpace(string(text)), "\n")+1]; !strings.HasPrefix(string(again), string(want)) || strings.Count(string(again), "\n") != 7 || strings.Count(string(again[len(want):]), "\t:\t") != 1 {
		t.Errorf("after a torn line: %q", again)
	}
	run("", 0, "--resume", "echo", ":::", "a", "x", "c2", "x y")
	if err := os.WriteFile(log, []byte("this is\nno log\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errs, code := finish(t, filch(t, "run", "--joblog", log, "--resume", "echo", ":::", "a")); code != 255 || !strings.Contains(errs, "line 1") {
		t.Errorf("%q, %d", errs, code)
	}
	if text, _ := os.ReadFile(log); string(text) != "this is\nno log\n" {
		t.Errorf("a file that is no log was changed: %q", text)
	}
}

// An input that moved to another number is run again: the number has to be the same, too.
func TestResumeNeedsTheNumber(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	for i, want := range []string{"a\nb\n", "b\na\n"} {
		args := [][]string{{"run", "-k", "--joblog", log, "echo", ":::", "a", "b"}, {"run", "-k", "--resume", "--joblog", log, "echo", ":::", "b", "a"}}[i]
		if out, errs, code := finish(t, filch(t, args...)); out != want || code != 0 {
			t.Errorf("the same command at another number: got %q, %q, %d, want %q", out, errs, code, want)
		}
	}
}

func TestResults(t *testing.T) {
	dir := t.TempDir()
	cmd := filch(t, "run", "--results", "out", "echo {1}; echo {2} >&2; test {1} = a", ":::", "a", "b/..", "", ":::", "1")
	cmd.Dir = dir
	if out, errs, code := finish(t, cmd); out != "" || errs != "" || code != 2 {
		t.Fatalf("%q, %q, %d", out, errs, code)
	}
	for path, want := range map[string]string{
		`1/a/2/1/stdout`: "a\n", `1/a/2/1/stderr`: "1\n", `1/a/2/1/seq`: "1", `1/b\_../2/1/stdout`: "b/..\n", `1/\e/2/1/seq`: "3",
	} {
		if got, err := os.ReadFile(filepath.Join(dir, "out", path)); string(got) != want {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
}

func TestRecords(t *testing.T) {
	out, errs, code := finish(t, filch(t, "run", "-k", "-o", "json", "--timeout", "5", "--retries", "2", "{}", ":::", "echo a; exit 3", `printf '\377'`, "no-such-program", "kill -9 $$; :", "exec sleep 1000"))
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 5 || errs != "" || code != 4 {
		t.Fatalf("%q, %q, %d", out, errs, code)
	}
	type record struct {
		State, Stdout, Reason  string
		Stdout64               string `json:"stdout_base64"`
		Exit, Signal, Attempts int
	}
	for i, want := range []record{
		{State: "failed", Stdout: "a\n", Exit: 3, Attempts: 2},
		{State: "done", Stdout64: "/w==", Attempts: 1},
		{State: "failed", Exit: 127, Attempts: 2, Reason: `"no-such-program": command not found: install it, or give its path`},
		{State: "failed", Signal: 9, Attempts: 2},
		{State: "timeout", Exit: 124, Attempts: 2, Signal: 15, Reason: "task 5 ended after 5s, its time-out: exec sleep 1000"},
	} {
		var got record
		if err := json.Unmarshal([]byte(lines[i]), &got); err != nil || got != want {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
}

// The first interrupt starts no more commands and lets the running one end.
func TestInterruptOnce(t *testing.T) {
	dir := t.TempDir()
	path, pid := pidFile(t)
	cmd := filch(t, "run", "-j1", "-k", "echo $$ > "+path+"; until test -e go; do sleep 0.01; done; echo {}", ":::", "1", "2", "3")
	cmd.Dir = dir
	var out, errs lockedBuffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid()
	cmd.Process.Signal(syscall.SIGINT)
	eventually(t, "the notice", func() bool { return strings.Contains(errs.String(), "interrupt again") })
	os.WriteFile(filepath.Join(dir, "go"), nil, 0o600)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 || out.String() != "1\n" {
		t.Errorf("%q, %q, exit code %d", out.String(), errs.String(), code)
	}
}

// A run whose reader stalls can still be ended, and what it runs with it.
func TestSignalWhileReaderStalls(t *testing.T) {
	for _, args := range [][]string{{"-j2"}, {"-j2", "-k"}, {"-j2", "--line-buffer"}} {
		path, pid := pidFile(t)
		args = append(append([]string{"run"}, args...), "{}", ":::", "head -c 500000 /dev/zero | tr '\\0' '\\n'", "echo $$ > "+path+"; exec sleep 1000", "echo never")
		cmd := filch(t, args...)
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		cmd.Stdout = w
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		w.Close()
		child := pid()
		one := make([]byte, 1)
		if _, err := r.Read(one); err != nil { // the rest does not fit into the pipe
			t.Fatal(err)
		}
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 143 {
			t.Errorf("%q: exit code %d", args, code)
		}
		eventually(t, "the command is gone", func() bool { return gone(child) })
	}
}

func TestSignalWhileReaderOfDryRunStalls(t *testing.T) {
	cmd := filch(t, "run", "--dry-run", "echo "+strings.Repeat("x", 1000))
	cmd.Stdin = strings.NewReader(strings.Repeat("\n", 10_000))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	cmd.Process.Signal(syscall.SIGTERM)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 143 {
		t.Errorf("exit code %d", code)
	}
}

func TestExec(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "plain"), nil, 0o600)
	for _, c := range []struct {
		args     []string
		out, err string
		code     int
	}{
		{[]string{"cat"}, "^in\n$", "^$", 0},
		{[]string{"sh", "-c", "echo e >&2; exit 3"}, "^$", "^e\n$", 3},
		{[]string{"printf", "%s|", "a  b", "$HOME", "{}", "-k"}, `^a  b\|\$HOME\|{}\|-k\|$`, "^$", 0},
		{[]string{"--", "echo", "--timeout"}, "^--timeout\n$", "^$", 0},
		{[]string{"no-such-command"}, "^$", "^filch: exec: .*not found", 127},
		{[]string{"--nice", "20", "nice"}, "^$", "^filch: --nice: 20 is not between", 125},
		{[]string{"./plain"}, "^$", "^filch: exec: .*permission denied: ", 126},
		{[]string{"sh", "-c", "kill -9 $$"}, "^$", "^$", 137},
		{[]string{"sh", "-c", "sleep 1000 & exit 4"}, "^$", "^$", 4},
		{[]string{"--timeout", "0.1", "sleep", "1000"}, "^$", "^filch: exec: ended after 100ms, its time-out\n$", 124},
		{[]string{"--timeout", "5%", "true"}, "^$", "no median", 125},
		{[]string{"--workdir", "/", "pwd"}, "^/\n$", "^$", 0},
		{[]string{"--workdir", "/no-such", "pwd"}, "^$", "^filch: --workdir: ", 125},
		{[]string{"--nice", "3", "nice"}, "^3\n$", "^$", 0},
		{[]string{"--no-such"}, "^$", "^filch: unknown flag", 125},
		{nil, "^$", "give a command", 125},
	} {
		cmd := filch(t, append([]string{"exec"}, c.args...)...)
		cmd.Dir = dir
		cmd.Stdin = strings.NewReader("in\n")
		cmd.WaitDelay = 100 * time.Millisecond // what it leaves in the background has our pipes
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		cmd.Run()
		code := cmd.ProcessState.ExitCode()
		if !regexp.MustCompile(c.out).MatchString(out.String()) || !regexp.MustCompile(c.err).MatchString(errs.String()) || code != c.code {
			t.Errorf("%q: got %q, %q, %d", c.args, out.String(), errs.String(), code)
		}
	}
}

// Signals reach the command, which decides what to do.
func TestExecPassesSignals(t *testing.T) {
	path, pid := pidFile(t)
	cmd := filch(t, "exec", "sh", "-c", "trap 'exit 42' USR1; trap '' INT; echo $$ > "+path+"; while :; do sleep 0.02; done")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	child := pid()
	cmd.Process.Signal(syscall.SIGINT)
	cmd.Process.Signal(syscall.SIGUSR1)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 42 {
		t.Errorf("exit code %d", code)
	}
	eventually(t, "the command is gone", func() bool { return gone(child) })
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		out, errs, code := finish(t, filch(t, "completion", shell))
		if code != 0 || errs != "" || !strings.Contains(out, "filch") {
			t.Errorf("%s: %q, %d", shell, errs, code)
		}
		if path, err := exec.LookPath(shell); err == nil {
			check := exec.Command(path, "-n")
			check.Stdin = strings.NewReader(out)
			if text, err := check.CombinedOutput(); err != nil {
				t.Errorf("%s does not like it: %s", shell, text)
			}
		}
	}
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "frobnicate"), nil, 0o700)
	os.WriteFile(filepath.Join(dir, "frobtext"), nil, 0o600)
	t.Setenv("PATH", dir)
	for args, want := range map[string]string{
		"run frob": "frobnicate\n:4", "exec frob": "frobnicate\n:4", "run --halt ": "never\nnow,fail=1\n",
		"run -o ": "text\njson\n:4", "run --keep": "--keep-order\t", "ex": "exec\t", "run --workdir ": ":16", "run x ": ":0",
	} {
		out, _, _ := finish(t, filch(t, append([]string{"__complete"}, strings.Split(args, " ")...)...))
		if !strings.HasPrefix(out, want) {
			t.Errorf("%s: %q", args, out)
		}
	}
}
