package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestMain lets the test binary be the child processes that turns and searches
// run in.
func TestMain(m *testing.M) {
	if isChild, err := asChild(context.Background(), os.Args[1:]); isChild {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(exitFailed)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const smallTree = "-t1 -a3 -d5 -b4 -r19"

// small runs the program on inputs that take no time.
func small(t *testing.T, flags ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, errs bytes.Buffer
	command := append([]string{"bench", "-rounds", "2", "-n", "12", "-tasks", "3000", "-tree", smallTree, "-quiet"}, flags...)
	status = run(t.Context(), command, &out, &errs)
	return out.String(), errs.String(), status
}

func TestTextReportHasEveryContest(t *testing.T) {
	t.Setenv("CXX", "no-such-compiler")
	out, stderr, status := small(t)
	if status != 0 {
		t.Fatalf("status %d: %s", status, stderr)
	}
	for _, want := range []string{
		"fib: fork-join fib(12), no cut-off, 2 workers",
		"submit: 3000 single submissions",
		"bulk: 3000 tasks known at once",
		"uts: UTS " + smallTree, "3987 nodes, 3232 leaves",
		"skipped: no C++ compiler (no-such-compiler): install g++ and libtbb-dev",
		"GOMAXPROCS 2 for every contender",
		"different program",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in the report:\n%s", want, out)
		}
	}
}

func TestJSONReportCarriesEveryRound(t *testing.T) {
	out, stderr, status := small(t, "-only", "submit,uts", "-output", "json")
	if status != 0 {
		t.Fatalf("status %d: %s", status, stderr)
	}
	var r jsonReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Contests) != 2 || r.Contests[0].Key != "submit" {
		t.Fatalf("contests %+v", r.Contests)
	}
	for _, c := range r.Contests {
		for _, con := range c.Contenders {
			if con.Skipped == "" && (len(con.RoundsNS) != 2 || slices.Min(con.RoundsNS) <= 0 || con.MedianNS <= 0) {
				t.Errorf("%s: %s has rounds %v, median %d", c.Key, con.Name, con.RoundsNS, con.MedianNS)
			}
		}
	}
}

func TestBenchReportIsForBenchstat(t *testing.T) {
	out, stderr, status := small(t, "-only", "bulk", "-output", "bench")
	if status != 0 {
		t.Fatalf("status %d: %s", status, stderr)
	}
	lines := 0
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "Benchmark") {
			continue
		}
		lines++
		fields := strings.Fields(line)
		if len(fields) != 6 || !strings.HasPrefix(fields[0], "BenchmarkBulk/") || fields[1] != "1" || fields[3] != "ns/op" || fields[5] != "allocs/task" {
			t.Errorf("line %q", line)
		}
	}
	if lines < 14 { // 7 rivals, 2 rounds
		t.Errorf("%d lines of results", lines)
	}
}

func TestFlagsAreChecked(t *testing.T) {
	for flags, want := range map[string]string{
		"-only fib,fob":       `no contest "fob"`,
		"-rounds 0":           "-rounds 0",
		"-workers 0":          "-workers 0",
		"-n 99":               "-n 99",
		"-tasks -1":           "-tasks -1",
		"-output xml":         `-output "xml"`,
		"extra":               `unexpected argument "extra"`,
		"-no-such-flag":       "not defined",
		"-only uts -tree T99": "published tree",
	} {
		_, stderr, status := small(t, strings.Fields(flags)...)
		if status == 0 || !strings.Contains(stderr, want) {
			t.Errorf("%s: status %d, %q, want an error with %q", flags, status, stderr, want)
		}
	}
}

func TestCancelEndsTheRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	if status := run(ctx, []string{"bench", "-quiet", "-only", "submit"}, &out, &errs); status != exitFailed {
		t.Errorf("status %d after a cancel", status)
	}
	if !strings.Contains(errs.String(), context.Canceled.Error()) {
		t.Errorf("stderr %q", errs.String())
	}
}
