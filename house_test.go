// Package filch_test checks that the repository keeps its own rules: which
// folder may import which, which packages may not touch the world, what must be
// documented. The rules are in house_rules_test.go and the reasons for them in
// ARCHITECTURE.md. The root package holds no product code.
package filch_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// modulePath is the module that the rules speak about; the benchmarks' nested
// module lies under it and follows the same rules.
const modulePath = "github.com/filchsched/filch"

// A source is one parsed Go file.
type source struct {
	path  string // from the repository's root, with slashes
	dir   string // the folder part of path; "." at the root
	test  bool   // whether its name ends in _test.go
	lines int
	file  *ast.File
	fset  *token.FileSet
}

// at names a place in the file the way compilers do.
func (s *source) at(n ast.Node) string {
	return s.path + ":" + strconv.Itoa(s.fset.Position(n.Pos()).Line)
}

// external reports whether the file is a test outside of the package it tests,
// so that what it imports is no dependency of the package.
func (s *source) external() bool { return s.test && strings.HasSuffix(s.file.Name.Name, "_test") }

// A house is everything that the rules look at: every Go file of the
// repository, whatever its build constraints, the documents, and go.mod.
type house struct {
	sources   []*source
	gomod     string
	documents map[string]string // Markdown text by path
	paths     map[string]bool   // every file and folder, for links to point at
}

func newHouse() *house {
	return &house{documents: make(map[string]string), paths: map[string]bool{".": true}}
}

// add takes one file into the house.
func (h *house) add(name string, text []byte) error {
	for p := name; p != "."; p = path.Dir(p) {
		h.paths[p] = true
	}
	switch {
	case name == "go.mod":
		h.gomod = string(text)
		return nil
	case path.Ext(name) == ".md":
		h.documents[name] = string(text)
		return nil
	case path.Ext(name) != ".go":
		return nil
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	h.sources = append(h.sources, &source{
		path:  name,
		dir:   path.Dir(name),
		test:  strings.HasSuffix(name, "_test.go"),
		lines: bytes.Count(text, []byte("\n")),
		file:  file,
		fset:  fset,
	})
	return nil
}

// readHouse reads the repository below root, leaving out what the go command
// leaves out: testdata, vendor, and folders that begin with a dot or underscore.
func readHouse(root string) (*house, error) {
	h := newHouse()
	return h, filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case p != root && leftOut(d.Name()):
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case !d.Type().IsRegular():
			return nil
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		var text []byte
		if read[filepath.Ext(p)] {
			if text, err = os.ReadFile(p); err != nil {
				return err
			}
		}
		return h.add(filepath.ToSlash(rel), text)
	})
}

// read lists the extensions of the files that rules look into.
var read = map[string]bool{".go": true, ".md": true, ".mod": true}

func leftOut(name string) bool {
	return name == "testdata" || name == "vendor" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

func TestHouse(t *testing.T) {
	h, err := readHouse(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			for _, complaint := range r.check(h) {
				t.Error(complaint)
			}
		})
	}
}
