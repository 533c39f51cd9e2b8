package topology

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A machine for tests is one text file, testdata/NAME.tree. A line makes a
// file, or several where the path has braces:
//
//	# comment
//	path = content of one line
//	path/cpu{0-3,8}/x = content
//	path <<END
//	content of several lines
//	END

// loadMachine expands a fixture.
func loadMachine(t testing.TB, name string) *memFS {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".tree"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := parseTree(string(text))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return m
}

// machineOf is loadMachine for a tree written in the test.
func machineOf(t testing.TB, text string) *memFS {
	t.Helper()
	m, err := parseTree(text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func parseTree(text string) (*memFS, error) {
	m := newMemFS()
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		pattern, content, ok := strings.Cut(line, " = ")
		if before, end, doc := strings.Cut(line, " <<"); doc && !ok {
			pattern, ok, content = before, true, ""
			for lines.Scan() && lines.Text() != end {
				content += lines.Text() + "\n"
			}
		} else {
			content += "\n"
		}
		if !ok {
			return nil, fmt.Errorf("line %q is no file", line)
		}
		if err := putAll(m, pattern, content); err != nil {
			return nil, err
		}
	}
	return m, lines.Err()
}

// putAll stores content under every path that pattern stands for.
func putAll(m *memFS, pattern, content string) error {
	before, rest, braces := strings.Cut(pattern, "{")
	if !braces {
		if !m.put(pattern, content) {
			return fmt.Errorf("bad path %q", pattern)
		}
		return nil
	}
	list, after, ok := strings.Cut(rest, "}")
	if !ok {
		return errors.New("brace without end: " + pattern)
	}
	set, err := parseList(list)
	if err != nil {
		return err
	}
	for n := range set.members {
		if err := putAll(m, fmt.Sprintf("%s%d%s", before, n, after), content); err != nil {
			return err
		}
	}
	return nil
}

// write expands m into a directory of the file system.
func (m *memFS) write(t testing.TB, dir string) {
	t.Helper()
	for _, name := range m.names() {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(m.files[name]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// without returns a copy that lacks the files match accepts.
func (m *memFS) without(match func(name string) bool) *memFS {
	out := newMemFS()
	for _, name := range m.names() {
		if !match(name) {
			out.put(name, m.files[name])
		}
	}
	return out
}

func mustRead(t testing.TB, m *memFS) *Topology {
	t.Helper()
	top, err := ReadFS(m)
	if err != nil {
		t.Fatal(err)
	}
	checkInvariants(t, top)
	return top
}

// checkInvariants holds for whatever was read.
func checkInvariants(t testing.TB, top *Topology) {
	t.Helper()
	if len(top.CPUs) == 0 || len(top.Packages) == 0 || len(top.Nodes) == 0 {
		t.Fatalf("no CPUs, packages or nodes: %+v", top)
	}
	for i, c := range top.CPUs {
		if i > 0 && c.OS <= top.CPUs[i-1].OS {
			t.Fatalf("CPUs out of order: %v", top.CPUs)
		}
		if got, ok := top.CPU(c.OS); !ok || got != c {
			t.Fatalf("CPU(%d) = %v, %v", c.OS, got, ok)
		}
	}
	for name, of := range map[string]func(CPU) int{
		"core": func(c CPU) int { return c.Core }, "llc": func(c CPU) int { return c.LLC },
		"numa": func(c CPU) int { return c.NUMA }, "package": func(c CPU) int { return c.Package },
	} {
		next := 0
		for _, c := range top.CPUs {
			if of(c) > next {
				t.Fatalf("%s numbers are not dense in order of the first CPU: %v", name, top.CPUs)
			}
			next = max(next, of(c)+1)
		}
	}
	if w := top.Workers(); w < 1 || w > len(top.CPUs) {
		t.Fatalf("%d workers for %d CPUs", w, len(top.CPUs))
	}
	l := top.Limits
	if out := len(l.Offline) + len(l.Cpuset) + len(l.Affinity); len(top.CPUs)+out != l.Total {
		t.Fatalf("%d usable CPUs and %d unusable ones of %d", len(top.CPUs), out, l.Total)
	}
	checkUltrametric(t, top)
}

// checkUltrametric checks that distances are symmetric, least to oneself, and
// that no detour is nearer at its farthest step. It is cubic, so of a large
// machine every nth CPU is looked at.
func checkUltrametric(t testing.TB, top *Topology) {
	t.Helper()
	const most = 40
	var cpus []CPU
	step := (len(top.CPUs) + most - 1) / most
	for i := 0; i < len(top.CPUs); i += step {
		cpus = append(cpus, top.CPUs[i])
	}
	for _, a := range cpus {
		for _, b := range cpus {
			ab := top.Distance(a, b)
			if ab != top.Distance(b, a) || (ab == LevelSelf) != (a.OS == b.OS) || ab > LevelHost {
				t.Fatalf("distance of %v and %v: %v, back %v", a, b, ab, top.Distance(b, a))
			}
			for _, c := range cpus {
				if ac, bc := top.Distance(a, c), top.Distance(b, c); ac > max(ab, bc) {
					t.Fatalf("no ultrametric: %v to %v is %v, by way of %v %v and %v", a, c, ac, b, ab, bc)
				}
			}
		}
	}
}
