//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheThreeAnswersOfCancel are all there: stopped, of what a living node ran; accepted, while it is not known what a
// node that vanished does; unconfirmed and its name, when it never will be.
func TestTheThreeAnswersOfCancel(t *testing.T) {
	nodes := startCluster(t, 2)
	dir := t.TempDir()
	submit := func(name string) string {
		t.Helper()
		c := withoutNodeEnv(filch(t, "submit", "--socket", nodes[0].socket, "--on", "n1", "--keep", "--", "touch began.{}; sleep 600", ":::", name))
		c.Dir = dir
		out, errs, code := finish(t, c)
		if code != 0 {
			t.Fatalf("submit: exit %d: %s", code, errs)
		}
		eventually(t, name+" began", func() bool { _, err := os.Stat(filepath.Join(dir, "began."+name)); return err == nil })
		return strings.TrimSpace(out)
	}
	cancel := func(job, within, want string) {
		t.Helper()
		if out, errs, code := nodes[0].jobVerb(t, "cancel", "--timeout", within, job); code != 0 || out != want+"\n" {
			t.Errorf("cancel within %s: exit %d: %s%s, want %s", within, code, out, errs, want)
		}
	}
	cancel(submit("one"), "25s", "stopped")
	two := submit("two")
	nodes[1].Process.Kill()
	nodes[1].waited()
	cancel(two, "0.01", "accepted")
	cancel(two, "25s", "unconfirmed: n1")
}
