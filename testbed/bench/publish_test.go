package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// told is a report of one contest in which filch beats one rival and loses to two, one of them with another program.
func told() report {
	rounds := func(ms ...int) (laps []lap) {
		for _, m := range ms {
			laps = append(laps, lap{Elapsed: time.Duration(m) * time.Millisecond})
		}
		return laps
	}
	return report{
		machine:  machine{CPU: "A CPU", Kernel: "6.1.2-custom", Go: "go1", UsableCPUs: 2, OS: "linux/amd64"},
		settings: settings{Rounds: 3, Workers: 2, Tools: tools{toolXargs: {Version: "xargs 4.9"}, toolDask: {Missing: "install it"}}},
		versions: map[string]string{"example.org/pool": "v1"},
		standings: []standing{{
			contest: contest{key: "start", title: "start `true` <100> times", unit: "command", operations: 100},
			scores: []score{
				{contender: contender{name: "filch run", filch: true, config: "filch run -j2 true"}, rounds: rounds(20, 20, 20)},
				{contender: contender{name: "xargs", config: "xargs -P2 | x"}, rounds: rounds(10, 10, 5)},
				{contender: contender{name: "parallel", config: "parallel -j2"}, rounds: rounds(100, 80, 2000)},
				{contender: contender{name: "by hand", aside: true}, rounds: rounds(1, 1, 1)},
				{contender: contender{name: "a bound", aside: true, bound: true}, rounds: rounds(1, 1, 1)},
				{contender: contender{name: "dask", missing: "install it"}},
			},
		}},
	}
}

func TestSectionIsHonest(t *testing.T) {
	got := string(told().section(options{plot: "docs/comparison.svg"}))
	for _, want := range []string{
		"A CPU, 2 usable CPUs, linux/amd64, kernel 6.1.2, go1",
		"With: xargs 4.9; not dask (install it); example.org/pool v1.",
		"(comparison.svg)",
		"| filch run | 20.0 | [20.0..20.0] | 200µs | 1 | `filch run -j2 true` |",
		"| xargs | 10.0 | [5.0..10.0] | 100µs | 0.50 [0.25..0.50] | `xargs -P2 \\| x` |",
		"| dask | skipped | | | | install it |",
		"| (by hand) |",
		"- start: xargs is 2.00 times as fast [2.00..4.00]\n- start: by hand is 20.00 times as fast [20.00..20.00], with another program\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
	if strings.Contains(got, "parallel is") || strings.Contains(got, "a bound is") {
		t.Errorf("parallel is no faster, and a bound is nobody:\n%s", got)
	}
}

func TestOnlyTheSectionIsReplaced(t *testing.T) {
	text := "before\n" + sectionBegins + "\nold\n" + sectionEnds + "\nafter\n"
	once, err := replaceSection([]byte(text), []byte("new\n"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "before\n" + sectionBegins + "\n\nnew\n\n" + sectionEnds + "\nafter\n"; string(once) != want {
		t.Errorf("%q", once)
	}
	if twice, err := replaceSection(once, []byte("new\n")); err != nil || string(twice) != string(once) {
		t.Errorf("again: %v, %q", err, twice)
	}
	for _, bad := range []string{"", sectionBegins, sectionEnds + sectionBegins, text + text} {
		if _, err := replaceSection([]byte(bad), nil); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

// A comparison that cannot be written is refused before anything is measured.
func TestDocsAreCheckedFirst(t *testing.T) {
	file := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(file, []byte("no markers"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"-only", "compare", "-docs", file}, {"-docs", file + "x"}, {"-quick", "-plot", file}} {
		if o, err := parseOptions(args, io.Discard); err == nil {
			t.Errorf("%q is accepted: %+v", args, o)
		}
	}
}

func TestDrawingIsXML(t *testing.T) {
	svg := told().draw()
	dec := xml.NewDecoder(strings.NewReader(string(svg)))
	bars := 0
	for {
		token, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, svg)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "rect" {
			bars++
		}
	}
	if bars != 1+4 { // the background, and all that have figures and are not filch's own
		t.Errorf("%d rectangles:\n%s", bars, svg)
	}
}

// A command line whose output is not what it must be is wrong, however fast.
func TestCommandsAreChecked(t *testing.T) {
	set := settings{Workers: 2, Tools: tools{"cat": {Path: "cat"}, "false": {Path: "false"}, "none": {Missing: "install it"}}}
	play := func(name string, ok check) error {
		_, err := runTurn(t.Context(), set.line(name, name, []string{name}, numbers, 50, ok), false)
		return err
	}
	if err := play("cat", echoed); err != nil {
		t.Error(err)
	}
	for what, err := range map[string]error{"true prints": play("cat", nothing), "not tagged": play("cat", tagged)} {
		if !errors.Is(err, errWrong) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := play("false", nothing); err == nil || errors.Is(err, errWrong) {
		t.Errorf("a command that fails: %v", err)
	}
	if c := set.line("none", "none", []string{"none"}, numbers, 1, nothing); c.missing != "install it" {
		t.Errorf("%+v", c)
	}
}
