//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/filchsched/filch/cmd/filch/parallel"
)

// A log is begun anew, or added to: with "+" and with --resume. It never gets a second header.
func TestJoblogIsReplacedOrAddedTo(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	for _, c := range []struct {
		flags []string
		want  string // the commands in the log
	}{
		{[]string{"--joblog", log}, "echo a"},
		{[]string{"--joblog", "+" + log}, "echo a, echo a"},
		{[]string{"--joblog", log, "--resume"}, "echo a, echo a"},
		{[]string{"--joblog", log}, "echo a"},
	} {
		if _, errs, code := finish(t, filch(t, append(append([]string{"run"}, c.flags...), "echo", ":::", "a")...)); code != 0 {
			t.Fatal(errs)
		}
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		var commands []string
		if _, err := parallel.ReadJoblog(strings.NewReader(string(text)), func(e parallel.Entry) { commands = append(commands, e.Command) }); err != nil {
			t.Error(err)
		}
		if got := strings.Join(commands, ", "); got != c.want || strings.Count(string(text), "Seq\t") != 1 {
			t.Errorf("%q: the log has %q, want %q: %q", c.flags, got, c.want, text)
		}
	}
}
