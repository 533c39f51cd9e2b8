package topology

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

func fixtureNames(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*.tree"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(f), ".tree"))
	}
	return names
}

func TestDrawing(t *testing.T) {
	for _, name := range fixtureNames(t) {
		top := mustRead(t, loadMachine(t, name))
		var got bytes.Buffer
		if err := top.Draw(&got, 0); err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", name+".txt")
		if *update {
			if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got.String() != string(want) {
			t.Errorf("%s is drawn as\n%s\nnot as in %s (run with -update if it should be)", name, got.String(), golden)
		}
	}
}

// Every drawing keeps to its width and to about a page.
func TestDrawingFits(t *testing.T) {
	const page = 70
	for _, name := range fixtureNames(t) {
		for _, width := range []int{0, 1, 80, 100} {
			var b bytes.Buffer
			if err := mustRead(t, loadMachine(t, name)).Draw(&b, width); err != nil {
				t.Fatal(err)
			}
			most := map[int]int{0: DefaultWidth, 1: minWidth}[width]
			for line := range strings.Lines(b.String()) {
				if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > max(most, width) {
					t.Errorf("%s: a line of %d at width %d: %s", name, n, width, line)
				}
			}
			if n := strings.Count(b.String(), "\n"); n > page {
				t.Errorf("%s: %d lines", name, n)
			}
		}
	}
}

type brokenPipe struct{}

var errBroken = errors.New("broken pipe")

func (brokenPipe) Write([]byte) (int, error) { return 0, errBroken }

func TestDrawingReportsWriteErrors(t *testing.T) {
	if err := mustRead(t, loadMachine(t, "vm-1cpu")).Draw(brokenPipe{}, 0); !errors.Is(err, errBroken) {
		t.Fatalf("%v", err)
	}
}

func TestTextOfSizesAndLists(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 512: "512 B", 32 << 10: "32 KiB", 1280 << 10: "1.2 MiB", 3 << 30: "3 GiB", 3 << 39: "1.5 TiB"} {
		if got := bytesText(n); got != want {
			t.Errorf("bytesText(%d) = %q, want %q", n, got, want)
		}
	}
	var odd []int
	for i := range 50 {
		odd = append(odd, 2*i+1)
	}
	if got := shortList(odd); len(got) > 44 || !strings.HasSuffix(got, ",...") {
		t.Errorf("%q", got)
	}
}

// Scripts rely on "cpus": one object per usable CPU, numbers equal exactly
// when two CPUs share the thing.
func TestJSON(t *testing.T) {
	for _, name := range fixtureNames(t) {
		top := mustRead(t, loadMachine(t, name))
		text, err := json.Marshal(top)
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			CPUs []struct {
				CPU, Core, LLC, NUMA, Package *int
			}
			Summary map[string]int
			Quota   *float64
		}
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		if len(doc.CPUs) != len(top.CPUs) || doc.Summary["workers"] != top.Workers() || doc.Summary["llcs"] != len(top.LLCs) {
			t.Errorf("%s: %s", name, text)
		}
		for i, c := range doc.CPUs {
			want := top.CPUs[i]
			if c.CPU == nil || *c.CPU != want.OS || *c.Core != want.Core || *c.LLC != want.LLC || *c.NUMA != want.NUMA || *c.Package != want.Package {
				t.Errorf("%s: CPU %d is %+v", name, i, c)
			}
		}
		if (doc.Quota != nil) != (top.Quota > 0) {
			t.Errorf("%s: quota %v", name, doc.Quota)
		}
		if bytes.Contains(text, []byte("null")) && top.Quota > 0 {
			t.Errorf("%s: a list is null: %s", name, text)
		}
	}
}
