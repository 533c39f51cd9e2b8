package filch_test

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A rule looks at the whole house and returns what it objects to, one line per
// complaint, each beginning with the file and saying what to do instead.
type rule struct {
	name  string
	check func(*house) []string
}

var rules = []rule{
	{"import direction", checkImports},
	{"purity", checkPurity},
	{"package comments", checkPackageComments},
	{"stable API is documented", checkStableAPI},
	{"file length", checkLength},
	{"names", checkNames},
	{"no cgo", checkCgo},
	{"go.mod has no replace", checkReplace},
	{"the root holds no product code", checkRoot},
	{"documents name tests that exist", checkNamedTests},
	{"links lead somewhere", checkLinks},
}

// rank orders the top folders: a folder imports only folders of a lower rank.
// Folders of one rank (steal and gossip) do not know each other.
var rank = map[string]int{"topology": 1, "exec": 2, "gossip": 3, "steal": 3, "node": 4, "cmd": 5, "examples": 5}

// alone lists the packages that import nothing of ours outside their own folder:
// topology because it is stable API that others use by itself, parallel because
// a syntax has no business knowing what runs the commands.
var alone = []string{"topology", "cmd/filch/parallel"}

// stable is the API that programs outside this module may rely on; the examples,
// which show how to do that, use nothing else.
var stable = []string{"node", "node/nodetest", "topology"}

// tree is the benchmark's tree, which knows nothing of filch: an example searches it, and the testbed, too.
const tree = "testbed/uts"

// upward lists the only imports of a parent by its child: nodetest is an
// in-memory cluster of nodes, offered to users under the name that they look for;
// guest is an implementation of two interfaces that the driver in steal has for such.
var upward = map[string]string{"node/nodetest": "node", "steal/guest": "steal"}

// maxLines bounds a file that is not a test. Most have a third of that; one that
// needs more holds two concepts.
const maxLines = 500

// checkImports holds cmd -> node -> {steal, gossip} -> exec -> topology.
func checkImports(h *house) (complaints []string) {
	for _, s := range h.sources {
		for _, spec := range s.file.Imports {
			to, ours := ownImport(spec)
			if !ours {
				continue
			}
			if s.external() && within(s.dir, to) {
				continue // a test may try its package inside of what uses it
			}
			if why := objection(s.dir, to); why != "" {
				complaints = append(complaints, fmt.Sprintf("%s: %s may not import %s: %s", s.at(spec), s.dir, to, why))
			}
		}
	}
	return complaints
}

// objection says why the package in folder from may not import the one in to;
// empty when it may.
func objection(from, to string) string {
	fromTop, toTop := top(from), top(to)
	switch {
	case within(to, "testbed"):
		if within(from, "testbed") || fromTop == "examples" && to == tree {
			return ""
		}
		return "the product does not depend on its testbed"
	case from == "." || fromTop == "testbed" || from == to:
		return ""
	case rank[fromTop] == 0 || rank[toTop] == 0:
		return "a folder without a rank; give it one in house_rules_test.go"
	case slices.ContainsFunc(alone, func(a string) bool { return within(from, a) && !within(to, a) }):
		return "it stands alone"
	case fromTop == "examples" && toTop == "examples":
		return "" // how they get their nodes
	case fromTop == "examples" && !slices.Contains(stable, to):
		return "examples use the stable API only"
	case within(from, to) && upward[from] != to:
		return "a parent may import its children, never the reverse"
	case fromTop != toTop && rank[fromTop] <= rank[toTop]:
		return "imports go cmd -> node -> {steal, gossip} -> exec -> topology"
	}
	return ""
}

// ownImport returns the folder that an import names, if it is one of ours.
func ownImport(spec *ast.ImportSpec) (folder string, ours bool) {
	p := importPath(spec)
	if p == modulePath {
		return ".", true
	}
	return strings.CutPrefix(p, modulePath+"/")
}

func importPath(spec *ast.ImportSpec) string {
	p, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return spec.Path.Value // the parser let it through, so this cannot happen
	}
	return p
}

func top(folder string) string {
	first, _, _ := strings.Cut(folder, "/")
	return first
}

// within tells whether folder is parent or lies below it.
func within(folder, parent string) bool {
	return folder == parent || strings.HasPrefix(folder, parent+"/")
}

func checkLength(h *house) (complaints []string) {
	for _, s := range h.sources {
		if !s.test && s.lines > maxLines {
			complaints = append(complaints, fmt.Sprintf("%s: %d lines, more than %d; one concept, one file", s.path, s.lines, maxLines))
		}
	}
	return complaints
}

// vague lists names that say nothing about what is inside.
var vague = []string{"util", "utils", "common", "helper", "helpers", "manager", "misc", "shared"}

func checkNames(h *house) (complaints []string) {
	for _, s := range h.sources {
		stem := strings.TrimSuffix(strings.TrimSuffix(path.Base(s.path), ".go"), "_test")
		for _, word := range append(strings.Split(s.dir, "/"), stem) {
			if slices.Contains(vague, word) {
				complaints = append(complaints, fmt.Sprintf("%s: %q says nothing; name it after the concept inside", s.path, word))
			}
		}
	}
	return complaints
}

// checkCgo keeps the binary static and cross-compilable.
func checkCgo(h *house) (complaints []string) {
	for _, s := range h.sources {
		for _, spec := range s.file.Imports {
			if importPath(spec) == "C" {
				complaints = append(complaints, s.at(spec)+": cgo; the binary is static and cross-compiles")
			}
		}
	}
	return complaints
}

// checkReplace looks at the module's own go.mod: `go install …@latest` refuses a
// module that replaces anything.
func checkReplace(h *house) (complaints []string) {
	for i, line := range strings.Split(h.gomod, "\n") {
		code, _, _ := strings.Cut(line, "//")
		if strings.Contains(code, "=>") {
			complaints = append(complaints, fmt.Sprintf("go.mod:%d: replace breaks go install …@latest", i+1))
		}
	}
	return complaints
}

func checkRoot(h *house) (complaints []string) {
	for _, s := range h.sources {
		if s.dir == "." && !s.test {
			complaints = append(complaints, s.path+": product code belongs into a folder of the house")
		}
	}
	return complaints
}
