package main

import (
	"os/exec"
	"strings"
	"testing"
)

func TestParseTBB(t *testing.T) {
	got, err := parseTBB(strings.NewReader("version 2021.8\nlap 1500000 832040\nlap 1400000 832040\n"))
	if err != nil || got.version != "2021.8" || len(got.laps) != 2 || got.laps[1] != (tbbLap{1400000, 832040}) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{
		"", "version 1\n", "lap\n", "lap 1\n", "lap x 1\n", "lap 0 1\n", "lap -5 1\n", "lap 1 1 1\n",
		"segmentation fault\n", "lap 99999999999999999999 1\n", strings.Repeat("v", 2*maxTBBLine),
	} {
		if got, err := parseTBB(strings.NewReader(bad)); err == nil {
			t.Errorf("parseTBB(%q) = %+v, want an error", bad, got)
		}
	}
}

func FuzzParseTBB(f *testing.F) {
	f.Add("version 2021.8\nlap 1500000 832040\n")
	f.Add("lap 1 1\n\n")
	f.Fuzz(func(t *testing.T, s string) {
		report, err := parseTBB(strings.NewReader(s))
		if err == nil && len(report.laps) == 0 {
			t.Fatalf("%q passed without a lap", s)
		}
		for _, lap := range report.laps {
			if lap.elapsed <= 0 {
				t.Fatalf("%q has a lap of %v", s, lap.elapsed)
			}
		}
	})
}

func TestTBBProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles C++")
	}
	p, cleanup, err := buildTBB()
	if err != nil {
		t.Fatal(err)
	}
	defer cleanup()
	if p.Missing != "" {
		t.Skip(p.Missing)
	}
	for _, form := range []string{"task_group", "parallel_invoke"} {
		laps, err := runTurn(t.Context(), p.contender(form, form, settings{Workers: 2, Fib: 15}), false)
		if err != nil || len(laps) != maxLaps {
			t.Errorf("%s: %d laps, %v", form, len(laps), err)
		}
	}
	if out, err := exec.Command(p.Path, "no_such_form", "1", "1", "1", "1").CombinedOutput(); err == nil {
		t.Errorf("an unknown form printed %q", out)
	}
}
