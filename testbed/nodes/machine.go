//go:build linux

package nodes

import (
	"os"
	"path/filepath"
	"testing"
)

// OwnMachine is how to start a program that takes its machine for another one than that of all others: nodes
// on one kernel would say that they share a host.
func OwnMachine(t *testing.T, program string, args ...string) []string {
	t.Helper()
	id, err := os.ReadFile("/proc/sys/kernel/random/uuid")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "boot_id")
	if err := os.WriteFile(file, id, 0o600); err != nil {
		t.Fatal(err)
	}
	// "ip netns exec" has given it mounts of its own.
	return append([]string{"sh", "-c", `mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"`, file, program}, args...)
}
