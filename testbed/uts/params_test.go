package uts

import (
	"flag"
	"strings"
	"testing"
)

// long adds the published trees of about 100 M nodes to the tests.
var long = flag.Bool("long", false, "search the 100 M node trees too")

func TestParseParams(t *testing.T) {
	t1 := Params{Type: Geometric, Shape: Fixed, D: 10, B: 4, Seed: 19, Q: 15.0 / 64, M: 4, F: 0.5}
	for _, s := range []string{"T1", " T1 ", "-t1 -a3 -d10 -b4 -r19", "-t 1 -a 3 -d 10 -b 4 -r 19", "-r 19 -d10 -a3"} {
		got, err := ParseParams(s)
		if err != nil || got != t1 {
			t.Errorf("ParseParams(%q) = %v, %v, want %v", s, got, err, t1)
		}
	}
	got, err := ParseParams("")
	if err != nil || got != Defaults() {
		t.Errorf("no flags: %v, %v, want the defaults", got, err)
	}
}

func TestParseParamsRefuses(t *testing.T) {
	for s, want := range map[string]string{
		"T9":           "published tree",
		"-":            "neither a flag",
		"t1":           "neither a flag",
		"-x1":          "unknown flag",
		"-t":           "needs a value",
		"-t3":          "-t 3",
		"-t-1":         "-t -1",
		"-a4":          "-a 4",
		"-d0":          "-d 0",
		"-d9999999":    "-d 9999999",
		"-bNaN":        "-b NaN",
		"-b -1":        "-b -1",
		"-bInf":        "-b +Inf",
		"-r2147483648": "-r 2147483648",
		"-r-1":         "-r -1",
		"-q1.5":        "-q 1.5",
		"-m-1":         "-m -1",
		"-f2":          "-f 2",
		"-t one":       "-t one",
	} {
		if p, err := ParseParams(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseParams(%q) = %v, %v, want an error with %q", s, p, err, want)
		}
	}
}

func FuzzParseParams(f *testing.F) {
	for _, tree := range published {
		f.Add(tree.Flags)
	}
	f.Add("T3")
	f.Add("-t2 -f0.3 -q1e-300 -bInf")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParseParams(s)
		if err != nil {
			return
		}
		again, err := ParseParams(p.String())
		if err != nil || again != p {
			t.Fatalf("%q became %v, which reads as %v, %v", s, p, again, err)
		}
		tree, err := New(p)
		if err != nil {
			t.Fatalf("%v passed ParseParams but not New: %v", p, err)
		}
		root := tree.Root()
		if n := tree.Children(&root); n < 0 || n > maxChildren && p.Type != Binomial {
			t.Fatalf("%v: the root has %d children", p, n)
		}
	})
}
