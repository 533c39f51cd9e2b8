package topology

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Dumps of real machines with hwloc's own answers, where they lie beside the
// repository (or where FILCH_FIXTURES says). hwloc is the judge: packages,
// NUMA nodes, last-level caches, cores and usable CPUs must be the same, and
// so must be who shares them.

func hwlocDumps(t *testing.T) string {
	dir := os.Getenv("FILCH_FIXTURES")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "fixtures")
	}
	dir = filepath.Join(dir, "hwloc")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no dumps here: %v", err)
	}
	return dir
}

// A hwlocAnswer is what lstopo's console output says.
type hwlocAnswer struct {
	packages, nodes, cores, cpus int
	// By object type, who shares one: PU number -> object number. llc is the
	// outermost cache of each PU.
	share map[string]map[int]int
}

var (
	depthLine  = regexp.MustCompile(`depth -?\d+:\s+(\d+) (\w+)`)
	objectLine = regexp.MustCompile(`^( *)(\w+)(?:\(\w+\))? L#(\d+)(?: \(P#(-?\d+))?`)
	dataCache  = regexp.MustCompile(`^L\d(d?)Cache$`)
)

func parseAnswer(text string) hwlocAnswer {
	a := hwlocAnswer{share: map[string]map[int]int{"Package": {}, "Core": {}, "llc": {}, "numa": {}}}
	type open struct {
		indent int
		typ    string
		id     int
	}
	var stack []open
	nodes := map[int]int{} // indent of the parent -> number of its first node
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for id := 0; lines.Scan(); id++ {
		if m := depthLine.FindStringSubmatch(lines.Text()); m != nil {
			a.count(m[2], m[1])
			continue
		}
		m := objectLine.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		indent := len(m[1])
		for len(stack) > 0 && stack[len(stack)-1].indent >= indent {
			delete(nodes, stack[len(stack)-1].indent)
			stack = stack[:len(stack)-1]
		}
		if m[2] == "NUMANode" {
			parent := -1
			if len(stack) > 0 {
				parent = stack[len(stack)-1].indent
			}
			if _, ok := nodes[parent]; !ok {
				nodes[parent] = id
			}
			continue
		}
		stack = append(stack, open{indent, m[2], id})
		if m[2] != "PU" {
			continue
		}
		pu, _ := strconv.Atoi(m[4])
		if n, ok := nodes[-1]; ok {
			a.share["numa"][pu] = n
		}
		for _, o := range stack {
			switch {
			case o.typ == "Package" || o.typ == "Core":
				a.share[o.typ][pu] = o.id
			case dataCache.MatchString(o.typ):
				if _, ok := a.share["llc"][pu]; !ok {
					a.share["llc"][pu] = o.id
				}
			}
			if n, ok := nodes[o.indent]; ok {
				a.share["numa"][pu] = n
			}
		}
	}
	return a
}

func (a *hwlocAnswer) count(typ, number string) {
	n, _ := strconv.Atoi(number)
	switch typ {
	case "Package":
		a.packages = n
	case "NUMANode":
		a.nodes = n
	case "Core":
		a.cores = n
	case "PU":
		a.cpus = n
	}
}

func TestAgreesWithHwloc(t *testing.T) {
	dir := hwlocDumps(t)
	tests, _ := filepath.Glob(filepath.Join(dir, "*.test"))
	if len(tests) == 0 {
		t.Skip("no dumps here")
	}
	for _, test := range tests {
		name := strings.TrimSuffix(filepath.Base(test), ".test")
		t.Run(name, func(t *testing.T) {
			spec := readSpec(t, test)
			if spec["options"] != "" || strings.Contains(spec["env"], "NODE") {
				t.Skip("the answer was given under options")
			}
			answer, err := os.ReadFile(filepath.Join(dir, spec["target"]))
			if err != nil || !strings.HasSuffix(spec["target"], ".console") {
				t.Skipf("no answer that can be read here: %v", err)
			}
			top, err := ReadRoot(filepath.Join(dir, spec["source"]))
			if err != nil {
				t.Fatal(err)
			}
			checkInvariants(t, top)
			compareWithHwloc(t, top, parseAnswer(string(answer)))
		})
	}
}

// readSpec reads the "key: value" lines that say what belongs to a dump.
func readSpec(t *testing.T, name string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	spec := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && line[0] != '#' {
			spec[key] += strings.TrimSpace(value)
		}
	}
	return spec
}

func compareWithHwloc(t *testing.T, top *Topology, want hwlocAnswer) {
	t.Helper()
	for _, c := range []struct {
		what      string
		got, want int
	}{
		{"usable CPUs", len(top.CPUs), want.cpus},
		{"NUMA nodes", len(top.Nodes), want.nodes},
		{"packages", len(top.Packages), max(1, want.packages)},
		{"cores", top.Cores(), want.cores},
	} {
		if c.got != c.want && c.want != 0 {
			t.Errorf("%d %s, hwloc has %d", c.got, c.what, c.want)
		}
	}
	if llcs := len(groups(want.share["llc"])); llcs == 0 && len(top.LLCs) != 0 {
		t.Errorf("%d last-level caches, hwloc has none", len(top.LLCs))
	}
	for what, of := range map[string]func(CPU) int{
		"Package": func(c CPU) int { return c.Package }, "Core": func(c CPU) int { return c.Core },
		"llc": func(c CPU) int { return c.LLC }, "numa": func(c CPU) int { return c.NUMA },
	} {
		got := map[int]int{}
		for _, c := range top.CPUs {
			if _, ok := want.share[what][c.OS]; ok {
				got[c.OS] = of(c)
			}
		}
		if g, w := groups(got), groups(want.share[what]); !slices.Equal(g, w) {
			t.Errorf("%s shared by %v, hwloc says %v", what, g, w)
		}
	}
}

// groups lists which keys have equal values, in a form that compares.
func groups(of map[int]int) []string {
	sets := map[int]*cpuSet{}
	for k, v := range of {
		if sets[v] == nil {
			sets[v] = &cpuSet{}
		}
		sets[v].add(k)
	}
	var out []string
	for s := range maps.Values(sets) {
		out = append(out, fmt.Sprint(*s))
	}
	slices.Sort(out)
	return out
}
