//go:build unix

package command

import (
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

func mkfifo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func supervised() bool { return runtime.GOOS == "linux" }
