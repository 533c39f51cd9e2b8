//go:build unix

package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// TestBadInput: whatever filch is given, there is a clear error or the right result.
func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name  string
		args  []string
		stdin string
		out   string // regular expressions
		err   string
		code  int
	}{
		{"unbalanced quotes", []string{"echo 'a", ":::", "b"}, "", "^$", "(?i)^sh: .*(unterminated|unexpected)", 1},
		{"unbalanced in an input", []string{"-k", "echo", ":::", "a'", `b"`, "`", "$("}, "", "^a'\nb\"\n`\n\\$\\(\n$", "^$", 0},
		{"unbalanced in a line", []string{"-k"}, "echo 'a\necho b\n", "^b\n$", "(?i)^sh: .*(unterminated|unexpected)", 1},
		{"a megabyte to a program", []string{"true"}, strings.Repeat("x", 1<<20) + "\n", "^$", "^filch: .*argument list too long: .*1048576 bytes.*standard input\n$", 1},
		{"a megabyte as a command", []string{}, "echo " + strings.Repeat("x", 1<<20) + "\n", "^$", "^filch: .*too long", 1},
		{"a megabyte of arguments", []string{"-n", "1000000", "echo"}, strings.Repeat("x\n", 1<<19), `^(x( x)*\n)+$`, "^$", 0},
		{"binary names", []string{"-k", "touch {}; ls -d {}", ":::", "\xff\xfe", "\xc0 \x01"}, "", "^\xff\xfe\n\xc0 \x01\n$", "^$", 0},
		{"binary names for results", []string{"-k", "--results", "out", "cat out/1/$(printf '\\377')/seq #", ":::", "\xff"}, "", "^$", "^$", 1},
		{"NUL in a name", []string{"-k", "--results", "nul", "echo"}, "a\x00b\nc\n", "^$", "^filch: task 1: .*NUL.*-0", 1},
		{"no input", []string{"--joblog", "empty", "--results", "none", "-k", "false"}, "", "^$", "^$", 0},
		{"no input, records", []string{"-o", "json", "false"}, "", "^$", "^$", 0},
		{"only blanks, and -r", []string{"-r", "false"}, " \n\n\t\n", "^$", "^$", 0},
		{"no end of line", []string{"echo"}, "a", "^a\n$", "^$", 0},
		{"results at a file", []string{"--results", "plain/x", "echo", ":::", "a"}, "", "^$", "^filch: cannot save the output of task 1: .*not a directory\n$", 255},
		{"results of nothing to name them by", []string{"--results", "out", "-n0", "echo x", ":::", "a"}, "", "^$", "^filch: --results .*-n 0", 255},
		{"workdir is a file", []string{"--workdir", "plain", "echo", ":::", "a"}, "", "^$", "^filch: --workdir: plain is not a directory\n$", 255},
		{"log is a directory", []string{"--joblog", ".", "echo", ":::", "a"}, "", "^$", "^filch: cannot open the job log: .*is a directory", 255},
		{"resume without a log", []string{"--resume", "--results", "out", "echo", ":::", "a"}, "", "^$", "^filch: --resume needs --joblog", 255},
		{"resume what failed", []string{"--resume-failed", "--joblog", "l", "echo", ":::", "a"}, "", "^$", "^filch: --resume-failed of GNU parallel is not supported yet", 255},
		{"results by a template", []string{"--results", "out/{1}", "echo", ":::", "a"}, "", "^$", "^filch: --results: .*supported yet: no replacement strings", 255},
		{"a number too large", []string{"-n", "99999999999999999999", "echo"}, "", "^$", "^filch: --max-args: .*out of range", 255},
		{"retries too many", []string{"--retries", "99999999999999999999", "echo"}, "", "^$", "^filch: --retries: .*out of range", 255},
		{"jobs too many", []string{"-j", "99999999999999999999", "echo"}, "", "^$", "^filch: --jobs: ", 255},
		{"more jobs than can be", []string{"-j", "999999999", "echo", ":::", "a"}, "", "^a\n$", "^filch: --jobs is [0-9]+ here", 0},
		{"a century", []string{"--timeout", "9999999999999", "echo"}, "", "^$", "^filch: --timeout: .*hundred years", 255},
		{"negative retries", []string{"--retries", "-1", "echo"}, "", "^$", "^filch: --retries: -1 is less", 255},
		{"negative delay", []string{"--delay", "-1", "echo"}, "", "^$", `^filch: --delay: "-1" is not a time`, 255},
		{"negative timeout", []string{"--timeout", "-1", "echo"}, "", "^$", `^filch: --timeout: "-1" is not a time`, 255},
		{"negative memory", []string{"--mem", "-1", "echo"}, "", "^$", `^filch: --mem: "-1" is not`, 255},
		{"negative cores", []string{"--cores", "-1", "echo"}, "", "^$", "^filch: --cores: .*at least one core, not -1", 255},
		{"negative halt", []string{"--halt", "now,fail=-1", "echo"}, "", "^$", "^filch: --halt: .*1 or more", 255},
		{"fewer jobs than none", []string{"-j-100", "echo", ":::", "a"}, "", "^a\n$", "^$", 0},
		{"flags twice: the last counts", []string{"-j1", "-j2", "-k", "-k", "-n1", "-n2", "--joblog", "first", "--joblog", "second", "echo {}; test ! -e first && test -e second #", ":::", "a", "b"}, "", "^a b\n$", "^$", 0},
		{"order and lines", []string{"--line-buffer", "-k", "echo"}, "", "^$", "^filch: --line-buffer and --ungroup print at once: leave out --keep-order", 255},
		{"both live", []string{"--line-buffer", "-u", "echo"}, "", "^$", "^filch: --line-buffer and --ungroup: give one", 255},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cmd := filch(t, append([]string{"run"}, c.args...)...)
			cmd.Dir = filepath.Join(dir, strings.ReplaceAll(c.name, " ", "_"))
			if err := os.Mkdir(cmd.Dir, 0o700); err != nil {
				t.Fatal(err)
			}
			os.WriteFile(filepath.Join(cmd.Dir, "plain"), nil, 0o600)
			cmd.Stdin = strings.NewReader(c.stdin)
			out, errs, code := finish(t, cmd)
			if !regexp.MustCompile(bytesOf(c.out)).MatchString(bytesOf(out)) || !regexp.MustCompile(c.err).MatchString(errs) || code != c.code {
				t.Errorf("bad input: got %q, %q, exit code %d, want %q, %q, %d", short(out), short(errs), code, c.out, c.err, c.code)
			}
		})
	}
}

// bytesOf has a character for each byte of s, so that regular expressions can match what is no UTF-8.
func bytesOf(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.WriteRune(rune(c))
	}
	return b.String()
}

// A directory as standard input, and a file that nobody may read as a log.
func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	folder, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	cmd := filch(t, "run", "echo")
	cmd.Stdin = folder
	if out, errs, code := finish(t, cmd); out != "" || code != 255 || !strings.Contains(errs, "standard input") || !strings.Contains(errs, "is a directory") {
		t.Errorf("standard input is a directory: %q, %q, %d", out, errs, code)
	}
	if os.Geteuid() == 0 {
		t.Log("the superuser may read everything")
		return
	}
	log := filepath.Join(dir, "log")
	os.WriteFile(log, nil, 0)
	for _, args := range [][]string{{"--joblog", log}, {"--joblog", log, "--resume"}, {"--joblog", "+" + log}} {
		if _, errs, code := finish(t, filch(t, append(append([]string{"run"}, args...), "echo", ":::", "a")...)); code != 255 || !strings.Contains(errs, "permission denied") {
			t.Errorf("%q: %q, %d", args, errs, code)
		}
	}
}

// A disk that is really full, under --results and under --joblog: the run ends with an error of ours
// that says so, and nothing of it is left running.
func TestFullDiskUnderResults(t *testing.T) {
	unshare, err := exec.LookPath("unshare")
	if err != nil || runtime.GOOS != "linux" {
		t.Skip("needs unshare and tmpfs")
	}
	dir := t.TempDir()
	mount := unshare + ` -m sh -c 'mount -t tmpfs -o size=64k tmpfs "$0" && exec "$@"' `
	if out, err := exec.Command("sh", "-c", mount+dir+" true").CombinedOutput(); err != nil {
		t.Skipf("no mount namespace of our own: %s", out)
	}
	for _, args := range [][]string{{"--results", dir + "/out"}, {"--joblog", dir + "/log"}} {
		path, pid := pidFile(t)
		args = append(append([]string{"run", "-j2"}, args...), "{}", ":::", "echo $$ > "+path+"; exec sleep 1000")
		for i := range 20 {
			args = append(args, "until test -s "+path+"; do sleep 0.01; done; head -c 10000 /dev/zero; : "+strconv.Itoa(i)+strings.Repeat("x", 5000))
		}
		cmd := filch(t, args...)
		cmd.Args = append([]string{"sh", "-c", mount + dir + ` "$@"`, "sh"}, cmd.Args...)
		if cmd.Path, err = exec.LookPath("sh"); err != nil {
			t.Fatal(err)
		}
		var errs bytes.Buffer
		cmd.Stderr = &errs
		cmd.Run()
		if code := cmd.ProcessState.ExitCode(); code != 255 || !strings.Contains(errs.String(), "no space left on device") || strings.Count(errs.String(), "\n") != 1 {
			t.Errorf("full disk: exit code %d, %q", code, errs.String())
		}
		if child := pid(); !gone(child) {
			t.Errorf("full disk: command %d is left running", child)
		}
	}
}

// A reader that stalls and goes on gets everything, each command's output whole.
func TestStalledConsumerGetsEverything(t *testing.T) {
	for _, flags := range [][]string{{"-k"}, {}, {"--line-buffer"}} {
		args := append(append([]string{"run", "-j2"}, flags...), "yes {} | head -n 20000", ":::", "a", "b", "c", "d")
		cmd := filch(t, args...)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		one := make([]byte, 1)
		if _, err := io.ReadFull(out, one); err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(out)
		if err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		text := string(one) + string(rest)
		for _, v := range []string{"a", "b", "c", "d"} {
			if n := strings.Count(text, v+"\n"); n != 20000 {
				t.Errorf("%q: %d lines of %s", flags, n, v)
			}
			if block := strings.Repeat(v+"\n", 20000); !strings.Contains(text, block) && (len(flags) == 0 || flags[0] == "-k") {
				t.Errorf("%q: the output of %s is not in one piece", flags, v)
			}
		}
		if code := cmd.ProcessState.ExitCode(); code != 0 || len(text) != 4*40000 {
			t.Errorf("%q: exit code %d, %d bytes", flags, code, len(text))
		}
	}
}

// Output that cannot be written is an error, whichever way it goes out.
func TestOutputIsNotLost(t *testing.T) {
	null, err := os.Open(os.DevNull) // for reading only
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	for _, flags := range [][]string{{}, {"-k"}, {"--line-buffer"}, {"-o", "json"}, {"--dry-run"}, {"--tag"}} {
		for _, to := range []*os.File{null, full} {
			cmd := filch(t, append(append([]string{"run"}, flags...), "echo", ":::", "a", "b")...)
			var errs bytes.Buffer
			cmd.Stdout, cmd.Stderr = to, &errs
			cmd.Run()
			if code := cmd.ProcessState.ExitCode(); code != 255 || !strings.Contains(errs.String(), "cannot write to standard output") {
				t.Errorf("%q to %s: exit code %d, %q", flags, to.Name(), code, errs.String())
			}
		}
	}
	cmd := filch(t, "run", "-u", "echo", ":::", "a", "b") // the commands write, and fail
	cmd.Stdout = full
	cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != 2 {
		t.Errorf("-u: exit code %d", code)
	}
	cmd = filch(t, "run", "echo e >&2; echo {}", ":::", "a")
	cmd.Stderr = full
	cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != 255 {
		t.Errorf("standard error is full: exit code %d", code)
	}
	for _, verb := range []string{"version", "topology", "help run", "completion bash"} {
		cmd := filch(t, strings.Fields(verb)...)
		cmd.Stdout = full
		cmd.Run()
		if code := cmd.ProcessState.ExitCode(); code != 255 {
			t.Errorf("%s: exit code %d", verb, code)
		}
	}
}
