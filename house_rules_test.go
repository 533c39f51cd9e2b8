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

// upward lists the only imports of a parent by its child: nodetest is an
// in-memory cluster of nodes, offered to users under the name that they look for.
var upward = map[string]string{"node/nodetest": "node"}

// pure lists the packages that decide and do nothing else. Time, randomness and
// news come in as arguments, so that the same code runs in production, in
// virtual time and under a fault injector. Names that do not exist yet are
// reserved, not wrong.
var pure = []string{"exec/task", "exec/fair", "steal/core", "gossip/core"}

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
		if within(from, "testbed") {
			return ""
		}
		return "the product does not depend on its testbed"
	case from == "." || fromTop == "testbed" || from == to:
		return ""
	case rank[fromTop] == 0 || rank[toTop] == 0:
		return "a folder without a rank; give it one in house_rules_test.go"
	case slices.ContainsFunc(alone, func(a string) bool { return within(from, a) && !within(to, a) }):
		return "it stands alone"
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

// impure lists what reaches the world. An entry that ends in a slash names
// everything below it.
var impure = []string{
	"C", "context", "crypto/rand", "log", "log/", "net", "net/", "os", "os/", "runtime/", "sync", "sync/", "syscall",
	"testing", "unsafe", "golang.org/x/sys/",
}

// purePart lists what lies below an impure name and is only arithmetic.
var purePart = []string{"net/netip", "net/url"}

// worldlyTime lists what package time does apart from arithmetic.
var worldlyTime = []string{
	"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick", "Timer", "Ticker",
	"Local", "LoadLocation",
}

// seededRand lists what of math/rand and math/rand/v2 has no global state.
var seededRand = []string{
	"New", "NewSource", "NewPCG", "NewChaCha8", "NewZipf", "Rand", "Source", "Source64", "PCG", "ChaCha8", "Zipf",
}

// checkPurity keeps clocks, sockets, locks, goroutines and global randomness out
// of the pure packages. Their tests may use all of them.
func checkPurity(h *house) (complaints []string) {
	for _, s := range h.sources {
		if s.test || !slices.Contains(pure, s.dir) {
			continue
		}
		object := func(n ast.Node, what string) {
			complaints = append(complaints, fmt.Sprintf("%s: %s is pure and may not %s; take it as an argument or return it as an effect", s.at(n), s.dir, what))
		}
		named := make(map[string]string) // by its name in this file, the import
		for _, spec := range s.file.Imports {
			p := importPath(spec)
			if why := impureImport(p); why != "" {
				object(spec, why)
			}
			named[localName(spec)] = p
		}
		if _, dot := named["."]; dot {
			object(s.file.Name, "import with a dot, which hides where a name comes from")
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				object(n, "start a goroutine")
			case *ast.SelectorExpr:
				if why := impureUse(named, n); why != "" {
					object(n, why)
				}
			}
			return true
		})
	}
	return complaints
}

// impureImport says what a pure package would do wrong by importing p.
func impureImport(p string) string {
	if folder, ours := strings.CutPrefix(p, modulePath+"/"); ours {
		if slices.Contains(pure, folder) {
			return ""
		}
		return "import " + folder + ", which is not pure"
	}
	if slices.Contains(purePart, p) {
		return ""
	}
	for _, bad := range impure {
		if p == bad || strings.HasSuffix(bad, "/") && strings.HasPrefix(p, bad) {
			return "import " + p
		}
	}
	return ""
}

// impureUse says what is wrong with a selector like time.Now, given what the
// file's import names stand for.
func impureUse(named map[string]string, sel *ast.SelectorExpr) string {
	x, ok := sel.X.(*ast.Ident)
	if !ok {
		return ""
	}
	name := sel.Sel.Name
	switch named[x.Name] {
	case "time":
		if slices.Contains(worldlyTime, name) {
			return "use time." + name
		}
	case "math/rand", "math/rand/v2":
		if !slices.Contains(seededRand, name) {
			return "use the global rand." + name
		}
	}
	return ""
}

// localName is the name under which a file knows an import. It is a guess from
// the path where the file gives none, right for everything that purity asks about.
func localName(spec *ast.ImportSpec) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	p := importPath(spec)
	if p == "math/rand/v2" {
		return "rand"
	}
	return path.Base(p)
}

// checkPackageComments wants one comment per package that says what it is for.
// Packages that consist of tests are left out.
func checkPackageComments(h *house) (complaints []string) {
	first := make(map[string]*source) // by folder, the file to complain about
	var folders []string
	documented := make(map[string]bool)
	for _, s := range h.sources {
		if s.test {
			continue
		}
		if first[s.dir] == nil {
			first[s.dir] = s
			folders = append(folders, s.dir)
		}
		if text := s.file.Doc.Text(); text != "" {
			documented[s.dir] = true
			if want := "Package " + s.file.Name.Name + " "; s.file.Name.Name != "main" && !strings.HasPrefix(text, want) {
				complaints = append(complaints, fmt.Sprintf("%s: the package comment does not begin with %q", s.at(s.file.Name), want))
			}
		}
	}
	for _, folder := range folders {
		if !documented[folder] {
			complaints = append(complaints, fmt.Sprintf("%s: package %s has no package comment; write it in doc.go", first[folder].path, folder))
		}
	}
	return complaints
}

// checkStableAPI wants every exported name of the stable packages documented.
// A group of constants or variables may share one comment; fields and interface
// methods fall under their type's.
func checkStableAPI(h *house) (complaints []string) {
	for _, s := range h.sources {
		if s.test || !slices.Contains(stable, s.dir) {
			continue
		}
		for _, decl := range s.file.Decls {
			for _, name := range undocumented(decl) {
				complaints = append(complaints, fmt.Sprintf("%s: exported %s has no comment", s.at(name), name.Name))
			}
		}
	}
	return complaints
}

// undocumented returns the exported names that decl declares without a comment.
func undocumented(decl ast.Decl) (names []*ast.Ident) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Doc.Text() == "" && d.Name.IsExported() && receiverIsExported(d) {
			names = append(names, d.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Name.IsExported() && d.Doc.Text()+spec.Doc.Text() == "" {
					names = append(names, spec.Name)
				}
			case *ast.ValueSpec:
				if d.Doc.Text()+spec.Doc.Text()+spec.Comment.Text() != "" {
					continue
				}
				for _, name := range spec.Names {
					if name.IsExported() {
						names = append(names, name)
					}
				}
			}
		}
	}
	return names
}

// receiverIsExported is true of plain functions, too.
func receiverIsExported(d *ast.FuncDecl) bool {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return true
	}
	for t := d.Recv.List[0].Type; ; {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return true // better one complaint too many
		}
	}
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
