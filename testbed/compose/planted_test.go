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
	plan                 *plan
	says                 string
}

// long is a plan of commands that take long, and one fault. The first, which the first container takes, does not take as long: what
// may have been lost there alone can run again.
func long(n int, takes time.Duration, f fault) *plan {
	p := &plan{seed: 1, faults: []fault{f}, calls: []time.Duration{time.Second}, tasks: []time.Duration{takes / 3}}
	for range n - 1 {
		p.tasks = append(p.tasks, takes)
	}
	return p
}

// plantedRounds is how often a fault may stay unseen: whether the member that is broken has something to do is a matter of luck.
const plantedRounds = 4

var allPlanted = []planted{
	{
		name: "a silent lease is forgotten",
		file: "steal/core/suspect.go",
		old:  "\t\tc.expire(d)\n",
		new:  "\t\td.open = false\n",
		plan: long(2*members, 4*time.Second, fault{killed, 2, 2 * time.Second, 40 * time.Second}),
		says: "hangs:",
	},
	{
		name: "a holder takes its lease for longer than it is",
		file: "steal/core/words.go",
		old:  `HolderTTL = 7 * time.Second`,
		new:  `HolderTTL = 70 * time.Second`,
		plan: long(members, 25*time.Second, fault{alone, 2, 3 * time.Second, 18 * time.Second}),
		says: "twice:",
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
			for k := range plantedRounds {
				wrong := r.round(t, f.plan)
				if strings.Contains(strings.Join(wrong, "\n"), f.says) {
					t.Logf("found in round %d:\n%s", k+1, r.report.String())
					return
				}
			}
			t.Errorf("nothing that is wrong says %q:\n%s", f.says, r.report.String())
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
