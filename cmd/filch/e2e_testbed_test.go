//go:build unix

package main

import (
	"strings"
	"testing"
)

// TestTestbedSaysWhatIsMissing: without an engine, without a testbed, and with a plan that cannot be.
func TestTestbedSaysWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	for says, args := range map[string][]string{
		"there is no docker here":        {"up"},
		"0 racks: there can be 1 to 50":  {"plan", "--racks", "0"},
		"--subnet:":                      {"plan", "--subnet", "x"},
		"no executable file of Linux":    {"plan", "--binary", "/dev/null"},
		"there is no testbed in nowhere": {"status", "--dir", "nowhere"},
		"--dir says where it is":         {"down", "--dir", "nowhere"},
	} {
		c := filch(t, append([]string{"testbed"}, args...)...)
		c.Dir = dir
		c.Env = append(c.Env, "PATH="+dir)
		if _, stderr, code := finish(t, c); code != 255 || !strings.Contains(stderr, says) {
			t.Errorf("testbed %s: exit code %d, want 255, and %q, not %q", args, code, says, stderr)
		}
	}
}
