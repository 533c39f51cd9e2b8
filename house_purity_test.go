package filch_test

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
	"strings"
)

// pure lists the packages that decide and do nothing else. Time, randomness and
// news come in as arguments, so that the same code runs in production, in
// virtual time and under a fault injector. Names that do not exist yet are
// reserved, not wrong.
var pure = []string{"exec/task", "exec/fair", "steal/core", "steal/cost", "gossip/core", "testbed/decide", "testbed/wan/line"}

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
