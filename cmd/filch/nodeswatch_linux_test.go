package main

import (
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestNodesWatchOnATerminal keeps the table on the screen until q.
func TestNodesWatchOnATerminal(t *testing.T) {
	p := startUp(t, filepath.Join(t.TempDir(), "d"), "", "--solo", "--name", "only-one")
	watch := withoutNodeEnv(filch(t, "nodes", "--watch", "--socket", p.socket), "TERM=xterm")
	screen := onTerminal(t, watch)
	if err := unix.IoctlSetWinsize(int(screen.keys.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 200}); err != nil {
		t.Fatal(err)
	}
	screen.expect("only-one")
	screen.expect("q ends")
	screen.press("q")
	if err := watch.Wait(); err != nil {
		t.Error(err)
	}
}
