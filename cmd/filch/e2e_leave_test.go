//go:build unix

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/filchsched/filch/node/control"
)

// TestLeaveWaitsAsLongAsItIsTold: --drain-timeout of leave goes over the node's own, and a command that ends within
// it is not stopped.
func TestLeaveWaitsAsLongAsItIsTold(t *testing.T) {
	p := startUp(t, filepath.Join(t.TempDir(), "d"), "", "--solo", "--drain-timeout", "1ms")
	dir := t.TempDir()
	c := withoutNodeEnv(filch(t, "submit", "--socket", p.socket, "--", "touch began; until test -e go; do sleep 0.01; done; touch ended", ":::", "x"))
	c.Dir = dir
	if _, errs, code := finish(t, c); code != 0 {
		t.Fatalf("submit: exit %d: %s", code, errs)
	}
	exists := func(name string) bool { _, err := os.Stat(filepath.Join(dir, name)); return err == nil }
	eventually(t, "the command began", func() bool { return exists("began") })
	leave := withoutNodeEnv(filch(t, "leave", "--socket", p.socket, "--drain-timeout", "10m"))
	if err := leave.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the node is leaving", func() bool {
		n, err := control.NewClient(p.socket).Node(t.Context())
		return err == nil && n.Leaving
	})
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := leave.Wait(); err != nil {
		t.Errorf("leave: %v", err)
	}
	if err := p.waited(); err != nil || !exists("ended") {
		t.Errorf("the node: %v; the command ended by itself: %v", err, exists("ended"))
	}
}
