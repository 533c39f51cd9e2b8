package filch_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// A planted house breaks one rule in one place, so that the rule is seen to
// fail; or it comes close to breaking one and must be let through.
type planted struct {
	name  string
	rule  string            // which rule is asked
	files map[string]string // by path; go.mod among them
	want  string            // a part of the only complaint; empty when all is well
}

const m = modulePath + "/"

var plantedHouses = []planted{
	{"engine imports node", "import direction", one("exec/a.go", `package exec; import _ "`+m+`node"`), "exec may not import node"},
	{"a test imports upwards too", "import direction", one("exec/a_test.go", `package exec; import _ "`+m+`steal"`), "exec may not import steal"},
	{"steal imports gossip", "import direction", one("steal/a.go", `package steal; import _ "`+m+`gossip"`), "steal may not import gossip"},
	{"gossip's child imports steal's", "import direction", one("gossip/core/a.go", `package core; import _ "`+m+`steal/core"`), "gossip/core may not import steal/core"},
	{"child imports parent", "import direction", one("exec/fair/a.go", `package fair; import _ "`+m+`exec"`), "never the reverse"},
	{"child's inner test imports parent", "import direction", one("exec/fair/a_test.go", `package fair; import _ "`+m+`exec"`), "never the reverse"},
	{"child's outer test imports somebody else's parent", "import direction", one("exec/fair/a_test.go", `package fair_test; import _ "`+m+`node"`), "may not import node"},
	{"grandchild imports grandparent", "import direction", one("cmd/filch/x/y/a.go", `package y; import _ "`+m+`cmd/filch"`), "never the reverse"},
	{"parallel knows an engine", "import direction", one("cmd/filch/parallel/a.go", `package parallel; import _ "`+m+`exec/task"`), "it stands alone"},
	{"topology imports something", "import direction", one("topology/a.go", `package topology; import _ "`+m+`exec/task"`), "it stands alone"},
	{"product imports testbed", "import direction", one("cmd/filch/a.go", `package main; import _ "`+m+`testbed/uts"`), "does not depend on its testbed"},
	{"example leaves the stable API", "import direction", one("examples/uts/a.go", `package main; import _ "`+m+`exec"`), "stable API only"},
	{"example leans on the testbed", "import direction", one("examples/uts/a.go", `package main; import _ "`+m+`testbed/sim"`), "does not depend on its testbed"},
	{"a folder nobody ranked", "import direction", one("extra/a.go", `package extra; import _ "`+m+`exec"`), "a folder without a rank"},
	{"somebody imports the root", "import direction", one("exec/a.go", `package exec; import _ "`+modulePath+`"`), "a folder without a rank"},
	{"another project of a like name", "import direction", one("exec/a.go", `package exec; import _ "`+modulePath+`er/node"`), ""},
	{"down, sideways and to children", "import direction", map[string]string{
		"cmd/filch/a.go":         `package main; import (_ "` + m + `node"; _ "` + m + `exec/proc"; _ "` + m + `cmd/filch/parallel")`,
		"exec/a.go":              `package exec; import (_ "` + m + `exec/fair"; _ "` + m + `topology")`,
		"exec/proc/a.go":         `package proc; import _ "` + m + `exec/task"`,
		"exec/a_test.go":         `package exec_test; import _ "` + m + `exec"`,
		"exec/proc/a_test.go":    `package proc_test; import _ "` + m + `exec"`,
		"node/nodetest/a.go":     `package nodetest; import _ "` + m + `node"`,
		"testbed/bench/a.go":     `package main; import (_ "` + m + `testbed/uts"; _ "` + m + `exec")`,
		"examples/offload/a.go":  `package main; import (_ "` + m + `node"; _ "` + m + `topology"; _ "` + m + `examples/cluster"; _ "` + m + `testbed/uts")`,
		"topology/topotest/a.go": `package topotest; import _ "` + m + `topology/fixtures"`,
	}, ""},

	{"clock", "purity", inFair(`import "time"; var t = time.Now()`), "use time.Now"},
	{"clock under another name", "purity", inFair(`import t "time"; func f() { t.Sleep(1) }`), "use time.Sleep"},
	{"timer type", "purity", inFair(`import "time"; var x time.Timer`), "use time.Timer"},
	{"clock behind a dot", "purity", inFair(`import . "time"; var t = Now()`), "import with a dot"},
	{"global randomness", "purity", inFair(`import "math/rand/v2"; var x = rand.IntN(3)`), "use the global rand.IntN"},
	{"global randomness, old", "purity", inFair(`import "math/rand"; func f() { rand.Shuffle(0, nil) }`), "use the global rand.Shuffle"},
	{"goroutine", "purity", inFair(`func f() { go f() }`), "start a goroutine"},
	{"goroutine in a literal", "purity", inFair(`var f = func() { if true { go func() {}() } }`), "start a goroutine"},
	{"lock", "purity", inFair(`import "sync"; var mu sync.Mutex`), "import sync"},
	{"atomics", "purity", inFair(`import "sync/atomic"; var n atomic.Int64`), "import sync/atomic"},
	{"files", "purity", inFair(`import "os"; var args = os.Args`), "import os"},
	{"a child of os", "purity", inFair(`import _ "os/signal"`), "import os/signal"},
	{"network", "purity", inFair(`import _ "net"`), "import net"},
	{"a package of ours that is not pure", "purity", inFair(`import _ "` + m + `exec/park"`), "exec/park, which is not pure"},
	{"seeded, passed in, arithmetic only", "purity", map[string]string{
		"exec/fair/a.go": `package fair
			import ("fmt"; "math/rand/v2"; "net/netip"; "time"; "` + m + `exec/task")
			type step struct { now time.Time; r *rand.Rand; from netip.Addr; kind task.Kind }
			func (s step) next() time.Time { return s.now.Add(2 * time.Millisecond) }
			func fresh(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }
			func say(s step) string { return fmt.Sprint(s) }`,
		"exec/fair/a_test.go": `package fair; import ("os"; "time"); var now = time.Now(); var args = os.Args`,
		"exec/worker.go":      `package exec; import "sync"; var mu sync.Mutex; func f() { go f() }`,
	}, ""},

	{"no package comment", "package comments", one("exec/a.go", `package exec`), "package exec has no package comment"},
	{"a licence is not a comment", "package comments", one("exec/a.go", "// Copyright.\n\npackage exec"), "no package comment"},
	{"comment of another package", "package comments", one("exec/a.go", "// Package fair does it.\npackage exec"), `does not begin with "Package exec "`},
	{"one comment per package will do", "package comments", map[string]string{
		"exec/doc.go":       "// Package exec runs tasks.\npackage exec",
		"exec/a.go":         "package exec",
		"cmd/filch/main.go": "// Filch runs commands.\npackage main",
		"a_test.go":         "package filch_test",
	}, ""},

	{"bare function", "stable API is documented", one("topology/a.go", `package topology; func Read() {}`), "exported Read"},
	{"bare method", "stable API is documented", one("topology/a.go", "package topology\n// T.\ntype T int\nfunc (*T) Levels() {}"), "exported Levels"},
	{"bare method of a generic type", "stable API is documented", one("node/a.go", "package node\n// F.\ntype F[A, R any] struct{}\nfunc (f *F[A, R]) Call() {}"), "exported Call"},
	{"bare type in a group", "stable API is documented", one("node/nodetest/a.go", "package nodetest\ntype (\n// A.\nA int\nB int\n)"), "exported B"},
	{"bare constant", "stable API is documented", one("topology/a.go", "package topology\nconst (\nA = 1 // One.\nB = 2\n)"), "exported B"},
	{"bare variable", "stable API is documented", one("node/a.go", `package node; var ErrLost error`), "exported ErrLost"},
	{"comments where they are due", "stable API is documented", map[string]string{
		"node/a.go": "package node\n// Errors.\nvar (\nErrA error\nErrB error\n)\n// New makes one.\nfunc New() {}\n" +
			"type hidden struct{}\nfunc (hidden) String() string { return \"\" }\nfunc help() {}",
		"exec/a.go":          `package exec; func Undocumented() {}`,
		"topology/a_test.go": `package topology; func Exported() {}`,
	}, ""},

	{"long file", "file length", one("exec/a.go", "package exec"+strings.Repeat("\n", maxLines+1)), "501 lines"},
	{"longest file, and a longer test", "file length", map[string]string{
		"exec/a.go":      "package exec" + strings.Repeat("\n", maxLines),
		"exec/a_test.go": "package exec" + strings.Repeat("\n", 2*maxLines),
	}, ""},

	{"vague folder", "names", one("exec/util/a.go", `package util`), `"util" says nothing`},
	{"vague file", "names", one("exec/helpers_test.go", `package exec`), `"helpers" says nothing`},
	{"a word inside a word", "names", one("exec/utilisation.go", `package exec`), ""},

	{"cgo", "no cgo", one("exec/a.go", `package exec; import "C"`), "exec/a.go:1: cgo"},
	{"no cgo", "no cgo", one("exec/a.go", `package exec; import "fmt"`), ""},

	{"replace", "go.mod has no replace", one("go.mod", "module x\n\nreplace a => ../a\n"), "go.mod:3"},
	{"replace in a block", "go.mod has no replace", one("go.mod", "module x\nreplace (\n\ta v1.2.3 => b v1.2.4\n)\n"), "go.mod:3"},
	{"replace in a comment", "go.mod has no replace", one("go.mod", "module x\n// replace a => b\n"), ""},

	{"product code at the root", "the root holds no product code", one("filch.go", `package filch`), "filch.go"},
	{"tests at the root", "the root holds no product code", one("filch_test.go", `package filch_test`), ""},

	{"a test that is gone", "documents name tests that exist", map[string]string{
		"ARCHITECTURE.md": "held by `TestOne` and `FuzzTwo`",
		"exec/a_test.go":  "package exec; func TestOne() {}",
		"exec/b.go":       "package exec; func FuzzTwo() {}",
	}, "ARCHITECTURE.md: there is no test FuzzTwo"},
	{"tests that exist, other words", "documents name tests that exist", map[string]string{
		"docs/a.md":      "`TestOne`†, `go test`, `Tester`, TestNothing",
		"exec/a_test.go": "package exec_test; func TestOne() {}",
	}, ""},

	{"a link to nothing", "links lead somewhere", one("docs/a.md", "see [this](../exec/gone.go)"), "docs/a.md: the link to ../exec/gone.go"},
	{"links to files, folders, headings, the web", "links lead somewhere", map[string]string{
		"docs/a.md": "[a](../exec) [b](../exec/a.go#L1) [c](#heading) [d](https://example.org/x) [e](b.md)",
		"docs/b.md": "",
		"exec/a.go": "package exec",
	}, ""},
}

func one(name, text string) map[string]string { return map[string]string{name: text} }

func inFair(text string) map[string]string {
	return one("exec/fair/a.go", "package fair; "+text)
}

func TestEveryRuleCanFail(t *testing.T) {
	failing := make(map[string]bool)
	for _, p := range plantedHouses {
		t.Run(p.rule+"/"+p.name, func(t *testing.T) {
			h := build(t, p.files)
			got := ruleNamed(t, p.rule).check(h)
			switch {
			case p.want == "" && len(got) > 0:
				t.Errorf("complains without a reason: %q", got)
			case p.want != "" && (len(got) != 1 || !strings.Contains(got[0], p.want)):
				t.Errorf("complaints %q, want one with %q", got, p.want)
			}
		})
		failing[p.rule] = failing[p.rule] || p.want != ""
	}
	for _, r := range rules {
		if !failing[r.name] {
			t.Errorf("no planted house breaks the rule %q", r.name)
		}
	}
}

// build makes a house of files, in the order of their names.
func build(t *testing.T, files map[string]string) *house {
	t.Helper()
	h := newHouse()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := h.add(name, []byte(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

func ruleNamed(t *testing.T, name string) rule {
	t.Helper()
	i := slices.IndexFunc(rules, func(r rule) bool { return r.name == name })
	if i < 0 {
		t.Fatalf("no rule is called %q", name)
	}
	return rules[i]
}
