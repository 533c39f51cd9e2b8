//go:build linux

package chaos

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// nothingLeft fails if a process with the round's directory among its arguments lives on.
func (r *rig) nothingLeft(t *testing.T, dir string, patience time.Duration) {
	t.Helper()
	late := time.Now().Add(patience)
	for {
		left := with(dir)
		if len(left) == 0 {
			return
		}
		if time.Now().After(late) {
			t.Errorf("left running: %v", left)
			return
		}
		time.Sleep(50 * time.Millisecond) // the end of somebody else's child is no event here
	}
}

// with lists the processes with text among their arguments.
func with(text string) (found []string) {
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range all {
		if b, err := os.ReadFile(f); err == nil && bytes.Contains(b, []byte(text)) {
			found = append(found, strings.TrimSpace(string(bytes.ReplaceAll(b, []byte{0}, []byte{' '}))))
		}
	}
	return found
}

// neverTwice fails if two copies of a command ran at once.
func (r *rig) neverTwice(t *testing.T, dir string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "twice"))
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("ran twice at the same time: tasks %s (%v)", strings.Fields(string(b)), err)
	}
}

// still waits until no member runs or waits for anything, and fails if one does for longer than settle.
func (r *rig) still(t *testing.T) {
	t.Helper()
	late := time.Now().Add(settle)
	for {
		busy := ""
		for _, m := range r.members {
			got, err := m.Metrics(t, "running_tasks", "busy_cores", "queue_tasks")
			if err != nil || len(got) != 3 || got["running_tasks"]+got["busy_cores"]+got["queue_tasks"] != 0 {
				busy = fmt.Sprintf("%s: %v, %v", m.Name, got, err)
			}
		}
		if busy == "" {
			return
		}
		if time.Now().After(late) {
			t.Errorf("all is over, and %s", busy)
			return
		}
		time.Sleep(50 * time.Millisecond) // a node at rest tells nobody
	}
}
