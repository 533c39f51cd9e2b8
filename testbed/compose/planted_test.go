//go:build linux

package compose

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// plantedVariable asks for the planted faults: each builds the programs anew and breaks a testbed of its own.
const plantedVariable = "FILCH_COMPOSE_PLANTED"

// A planted fault is a change of one file of the product, what breaks the containers then, and what the check has to say.
type planted struct {
	name, file, old, new string
	plan                 func() *plan
	says                 string
}

// long is a plan of a few tasks that take long, and one fault.
func long(commands, calls time.Duration, f fault) func() *plan {
	return func() *plan {
		p := &plan{seed: 1, faults: []fault{f}}
		for range 2 * members {
			p.tasks, p.calls = append(p.tasks, commands), append(p.calls, calls)
		}
		return p
	}
}

var allPlanted = []planted{
	{
		name: "a silent lease is forgotten",
		file: "steal/core/suspect.go",
		old:  "\t\tc.expire(d)\n",
		new:  "\t\td.open = false\n",
		plan: long(4*time.Second, time.Second, fault{killed, 2, 2 * time.Second, 40 * time.Second}),
		says: "hangs:",
	},
	{
		name: "a holder takes its lease for longer than it is",
		file: "steal/core/lease.go",
		old:  `until := from + min(HolderTTL, left.Left)`,
		new:  `until := from + 10*min(HolderTTL, left.Left)`,
		plan: long(25*time.Second, time.Second, fault{alone, 2, 3 * time.Second, 18 * time.Second}),
		says: "twice:",
	},
	{
		name: "a task is committed twice",
		file: "steal/core/attempt.go",
		old:  "c.stats.DuplicateOutcomes += r.Len()\n\t\t\tcontinue",
		new:  "c.stats.DuplicateOutcomes += r.Len()",
		plan: long(time.Second, 14*time.Second, fault{alone, 2, 3 * time.Second, 15 * time.Second}),
		says: "calls",
	},
}

// TestPlantedFaultsAreFound: builds with a fault fail their round, for the reason that they should.
func TestPlantedFaultsAreFound(t *testing.T) {
	for _, f := range allPlanted {
		overlay := f.plant(t)
		t.Run(f.name, func(t *testing.T) {
			if os.Getenv(plantedVariable) == "" {
				t.Skipf("takes a Docker engine and minutes: make compose-planted, or %s=1", plantedVariable)
			}
			r := newRig(t, overlay)
			wrong := r.round(t, f.plan())
			t.Logf("\n%s", r.report.String())
			if !strings.Contains(strings.Join(wrong, "\n"), f.says) {
				t.Errorf("nothing that is wrong says %q: %q", f.says, wrong)
			}
		})
	}
}

// plant writes an overlay for the go command, and fails if the product's text has moved on.
func (f planted) plant(t *testing.T) (overlay string) {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../..", f.file))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || strings.Count(string(text), f.old) != 1 {
		t.Fatalf("%s: its text occurs %d times in %s (%v), not once; say anew what to change", f.name, strings.Count(string(text), f.old), f.file, err)
	}
	changed := filepath.Join(t.TempDir(), "changed.go")
	if err := os.WriteFile(changed, []byte(strings.Replace(string(text), f.old, f.new, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(map[string]map[string]string{"Replace": {path: changed}})
	overlay = filepath.Join(t.TempDir(), "overlay.json")
	if err == nil {
		err = os.WriteFile(overlay, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return overlay
}
