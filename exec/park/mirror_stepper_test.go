//go:build stepper

package park_test

import (
	"bytes"
	"flag"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "take the functions of package exec as they are now for those that are mirrored")

// mirrored are the functions of package exec that this package's tests have a
// mirror of.
var mirrored = []string{
	"Engine.nextTurn", "Engine.settle", "Engine.take", "Engine.found", "Engine.announce", "Engine.wakeOne",
	"Engine.beginSearch", "Engine.endSearch", "Engine.spin", "Engine.sleep",
	"Ctx.attach", "Ctx.mark", "Ctx.pick", "Ctx.runOwn", "Ctx.foundWork", "Ctx.steal", "Ctx.rob", "Ctx.vacate",
	"Job.arrived", "Job.left", "Job.pushReady", "Job.takeFrom", "Job.unitDone", "Job.checkDone",
	"Ctx.await", "Ctx.finish",
}

// TestTheMirrorIsUpToDate fails when one of those functions has changed since
// somebody last looked whether its mirror still does the same. After a look,
// and after the mirror was changed as well if it has to:
//
//	go test -tags stepper ./exec/park -run Mirror -update
func TestTheMirrorIsUpToDate(t *testing.T) {
	const golden = "testdata/mirrored.txt"
	now := engineFunctions(t)
	if *update {
		var b strings.Builder
		for _, name := range mirrored {
			b.WriteString(now[name])
		}
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range mirrored {
		switch fn := now[name]; {
		case fn == "":
			t.Errorf("package exec has no %s any more; what takes its place, and is it mirrored?", name)
		case !bytes.Contains(text, []byte(fn)):
			t.Errorf("%s is not what was mirrored any more. Does its mirror still do the same? See this test's comment. It is now:\n%s", name, fn)
		}
	}
}

// engineFunctions returns the text of those functions, without comments.
func engineFunctions(t *testing.T) map[string]string {
	files, err := filepath.Glob("../*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("package exec has no files: %v", err)
	}
	found := make(map[string]string)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv == nil {
				continue
			}
			full := receiver(fn) + "." + fn.Name.Name
			if !slices.Contains(mirrored, full) {
				continue
			}
			var b bytes.Buffer
			if err := format.Node(&b, token.NewFileSet(), fn); err != nil {
				t.Fatal(err)
			}
			found[full] = b.String() + "\n"
		}
	}
	return found
}

// receiver returns the name of a method's type.
func receiver(fn *ast.FuncDecl) string {
	expr := fn.Recv.List[0].Type
	if star, ok := expr.(*ast.StarExpr); ok {
		expr = star.X
	}
	if id, ok := expr.(*ast.Ident); ok {
		return id.Name
	}
	return "" // a generic type; none is mirrored
}
