package parallel

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestResultsDir(t *testing.T) {
	for _, c := range []struct {
		columns []string
		want    string
	}{
		{[]string{"a"}, "1/a"},
		{[]string{"a", "b/c"}, `1/a/2/b\_c`},
		{[]string{`a\b`, "t\tb"}, `1/a\\b/2/t\tb`},
		{[]string{"é", "*", "x y"}, "1/é/2/*/3/x y"},
		{[]string{"", ".", ".."}, `1/\e/2/\./3/\..`},
		{[]string{"/"}, `1/\_`},
		{[]string{"../x"}, `1/..\_x`},
		{nil, ""},
	} {
		if got := ResultsDir(Row{Columns: c.columns}); got != c.want {
			t.Errorf("%q: got %q, want %q", c.columns, got, c.want)
		}
	}
}

// Rows of several inputs count sources, not columns: golden answers of parallel -n2.
func TestResultsDirOfSeveralInputs(t *testing.T) {
	for _, c := range []struct {
		sources int
		columns []string
		want    string
	}{
		{1, []string{"a", "b"}, "1/a/1/b"},
		{2, []string{"a", "1", "a", "2"}, "1/a/2/1/1/a/2/2"},
		{2, []string{"c", "2"}, "1/c/2/2"},
	} {
		if got := ResultsDir(Row{Columns: c.columns, Sources: c.sources}); got != c.want {
			t.Errorf("%q of %d sources: got %q, want %q", c.columns, c.sources, got, c.want)
		}
	}
}

func TestCheckResults(t *testing.T) {
	for dir, ok := range map[string]bool{"out": true, "a/b.d": true, "": false, "x.csv": false, "x.tsv": false, "x.json": false, "out/{}": false, "{1/}.out": false} {
		if err := CheckResults(dir); (err == nil) != ok {
			t.Errorf("%q: %v", dir, err)
		}
	}
}

// FuzzResultsName: a name is one name, stays where it was put, and no two values share one.
func FuzzResultsName(f *testing.F) {
	f.Add("a", "b")
	f.Add("../..", `..\_..`)
	f.Add("", `\e`)
	f.Add(".", `\.`)
	f.Add(strings.Repeat("x", 300), strings.Repeat("x", 301))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, a, b string) {
		name := ResultsName(a)
		if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") || len(name) > maxName {
			t.Errorf("%q is %q", a, name)
		}
		if a != b && name == ResultsName(b) {
			t.Errorf("%q and %q are both %q", a, b, name)
		}
		path := filepath.Join(dir, name)
		if err := os.Mkdir(path, 0o700); err != nil && !os.IsExist(err) {
			t.Error(err)
		}
		os.Remove(path)
	})
}
