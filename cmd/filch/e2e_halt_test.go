//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// --halt soon starts no more and lets what runs come to its end: the first command
// waits until filch has said that it halts.
func TestHaltSoonWaitsForWhatRuns(t *testing.T) {
	dir := t.TempDir()
	cmd := filch(t, "run", "-j2", "-k", "--halt", "soon,fail=1", "{}", ":::",
		"until test -e go; do sleep 0.01; done; echo ok", "exit 7", "echo never", "echo never")
	cmd.Dir = dir
	var out, errs lockedBuffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the notice", func() bool { return strings.Contains(errs.String(), "filch: halting: starting no more") })
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 7 || out.String() != "ok\n" {
		t.Errorf("--halt soon: got %q, %q, exit code %d", out.String(), errs.String(), code)
	}
}

// --halt now ends what runs, and all of it.
func TestHaltNowLeavesNothingRunning(t *testing.T) {
	path, pid := pidFile(t)
	cmd := filch(t, "run", "-j2", "--halt", "now,fail=1", "{}", ":::",
		"echo $$ > "+path+"; exec sleep 1000", "until test -s "+path+"; do sleep 0.01; done; exit 7", "echo never")
	out, errs, code := finish(t, cmd)
	if code != 7 || out != "" || !strings.HasPrefix(errs, "filch: halting: ending") {
		t.Errorf("--halt now: got %q, %q, exit code %d", out, errs, code)
	}
	if child := pid(); !gone(child) {
		t.Errorf("--halt now: command %d is left running", child)
	}
}

// What -k holds back of commands that have ended is printed when the run is cut short, although the row before
// them is killed and prints nothing. Two things see to that, and one is enough: the row that is killed passes its
// turn on, and what is still held back after that is drained, for a row that was taken out of the queue but not
// begun has nobody to pass it on.
func TestHaltNowPrintsWhatKeepOrderHeldBack(t *testing.T) {
	cmd := filch(t, "run", "-k", "-j2", "--halt", "now,fail=1", "{}", ":::",
		"echo half; exec sleep 1000", "echo 2", "echo 3", "echo 4; exit 7", "echo never")
	out, errs, code := finish(t, cmd)
	if code != 7 || out != "2\n3\n4\n" {
		t.Errorf("got %q, %q, exit code %d", out, errs, code)
	}
}
