package filch_test

import (
	"fmt"
	"go/ast"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

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

// namedTest is the name of a test as documents write it.
var namedTest = regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Z]\\w*)`")

// checkNamedTests keeps a promise from being held by a test that was renamed or
// removed.
func checkNamedTests(h *house) (complaints []string) {
	exists := make(map[string]bool)
	for _, s := range h.sources {
		for _, decl := range s.file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && s.test && f.Recv == nil {
				exists[f.Name.Name] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(h.documents)) {
		for _, found := range namedTest.FindAllStringSubmatch(h.documents[name], -1) {
			if test := found[1]; !exists[test] {
				complaints = append(complaints, fmt.Sprintf("%s: there is no test %s", name, test))
			}
		}
	}
	return complaints
}

// link is a Markdown link's target.
var link = regexp.MustCompile(`\]\(([^()\s]+)\)`)

// checkLinks looks at links to files of the repository, not at the web or at
// headings.
func checkLinks(h *house) (complaints []string) {
	for _, name := range slices.Sorted(maps.Keys(h.documents)) {
		for _, found := range link.FindAllStringSubmatch(h.documents[name], -1) {
			target, _, _ := strings.Cut(found[1], "#")
			if target == "" || strings.Contains(target, ":") {
				continue
			}
			if !h.paths[path.Join(path.Dir(name), target)] {
				complaints = append(complaints, fmt.Sprintf("%s: the link to %s leads nowhere", name, target))
			}
		}
	}
	return complaints
}
