package plant

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A fault is a change of one file that a test must find.
type fault struct {
	name string
	file string // from the root of the repository, with slashes
	old  string // occurs exactly once in the file
	new  string // stands there instead
	test check
	says string // is part of what the test prints
}

// A check is a test that should find a fault.
type check struct {
	folder string // of its package
	run    string // the -run flag
	tags   string // build tags
}

// childLimit bounds one test with a fault. They take about a second; a fault
// that makes its test hang is not found.
const childLimit = 90 * time.Second

// root is the repository's root, seen from this package.
const root = "../.."

// faults are all of them, by area.
var faults = map[string][]fault{
	"deque":      dequeFaults,
	"values":     valueFaults,
	"span":       spanFaults,
	"park":       parkFaults,
	"stepper":    stepperFaults,
	"exec":       execFaults,
	"gossip":     gossipFaults,
	"gossipcore": gossipcoreFaults,
	"host":       hostFaults,
	"proc":       procFaults,
	"run":        runFaults,
}

// sampled says how many faults of an area stand for one that is planted: 8, or the number in
// FILCH_PLANT, and 1 if -run names faults. Each builds a test binary, and all of them
// together take minutes.
func sampled(t *testing.T) int {
	if strings.Contains(flag.Lookup("test.run").Value.String(), "/") {
		return 1
	}
	text := os.Getenv("FILCH_PLANT")
	if text == "" {
		return 8
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("FILCH_PLANT is %q; it is how many faults stand for one that is planted, 1 for all", text)
	}
	return n
}

// TestPlantedFaultsAreFound plants the first of every so many faults of an area.
func TestPlantedFaultsAreFound(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs a test for each fault: about a minute")
	}
	if underRace {
		t.Skip("has nothing concurrent of its own; the tests that it runs are not built for the race detector")
	}
	each := sampled(t)
	for area, all := range faults {
		for i, f := range all {
			if i%each != 0 {
				continue
			}
			t.Run(area+"/"+f.name, func(t *testing.T) {
				t.Parallel()
				f.mustBeFound(t)
			})
		}
	}
}

// TestFaultsStillMatch looks whether each fault's text is in the product, also of those that
// are not planted this time.
func TestFaultsStillMatch(t *testing.T) {
	for area, all := range faults {
		for _, f := range all {
			if _, err := f.plant(t.TempDir()); err != nil {
				t.Errorf("%s: %v", area, err)
			}
		}
	}
}

func (f fault) mustBeFound(t *testing.T) {
	overlay, err := f.plant(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	out, err := f.test.with(t.Context(), overlay)
	var exit *exec.ExitError
	switch {
	case err == nil:
		t.Fatalf("not found: go test -run %q %s passes with the fault in %s", f.test.run, f.test.folder, f.file)
	case !errors.As(err, &exit) || exit.ExitCode() != 1:
		t.Fatalf("the test did not end in order: %v\n%s", err, out)
	case bytes.Contains(out, []byte("[build failed]")) || bytes.Contains(out, []byte("[setup failed]")):
		t.Fatalf("the fault does not compile:\n%s", out)
	case !bytes.Contains(out, []byte(f.says)):
		t.Fatalf("found, but for another reason: nothing says %q in\n%s", f.says, out)
	}
}

// plant writes the changed file into dir and returns the overlay that puts it in
// the place of the original.
func (f fault) plant(dir string) (overlay string, err error) {
	path, err := filepath.Abs(filepath.Join(root, filepath.FromSlash(f.file)))
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("fault %q: %w", f.name, err)
	}
	changed, err := f.apply(string(text))
	if err != nil {
		return "", err
	}
	copied := filepath.Join(dir, filepath.Base(path))
	if err := os.WriteFile(copied, []byte(changed), 0o600); err != nil {
		return "", err
	}
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {path: copied}})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, replace, 0o600)
}

func (f fault) apply(text string) (string, error) {
	if n := strings.Count(text, f.old); n != 1 || f.old == "" {
		return "", fmt.Errorf("fault %q: its text occurs %d times in %s, not once; say anew what to change:\n%s", f.name, n, f.file, f.old)
	}
	if f.says == "" {
		return "", fmt.Errorf("fault %q does not say which message it expects", f.name)
	}
	return strings.Replace(text, f.old, f.new, 1), nil
}

// with runs the check with an overlay and returns what it prints.
func (c check) with(ctx context.Context, overlay string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, childLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-short", "-failfast", "-vet=off",
		"-overlay", overlay, "-tags", c.tags, "-run", c.run, "./"+c.folder)
	cmd.Dir = root
	return cmd.CombinedOutput()
}

// TestFaultsMustMatchOnce tests the driver.
func TestFaultsMustMatchOnce(t *testing.T) {
	for _, test := range []struct {
		f    fault
		want string
	}{
		{fault{old: "b", new: "x", says: "y"}, "axc"},
		{fault{old: "", new: "x", says: "y"}, ""},
		{fault{old: "d", new: "x", says: "y"}, ""},
		{fault{old: "b", new: "x"}, ""},
	} {
		got, err := test.f.apply("abc")
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%+v: got %q, %v", test.f, got, err)
		}
	}
	if got, err := (fault{old: "b", new: "x", says: "y"}).apply("abcb"); err == nil {
		t.Errorf("a text that occurs twice was changed to %q", got)
	}
}
