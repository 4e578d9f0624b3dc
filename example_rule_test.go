package lowport_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// ofInterfaces are the methods that every Go programmer knows from the standard
// library's interfaces.
var ofInterfaces = strings.Fields("AppendText MarshalText UnmarshalText MarshalBinary UnmarshalBinary MarshalJSON LogValue Format String Set Error Unwrap")

// Every exported function, and every other method, has an example, and each example
// checks what it prints.
func TestExamplesOfFunctions(t *testing.T) {
	seen := 0
	for _, dir := range []string{"caps", "caps/drop", "guard", "guard/audit", "guard/preflight", "guard/recording", "guard/report", "guard/guardtest", "guard/unit", "privport"} {
		files, fset := parsed(t, dir)
		for _, e := range doc.Examples(files...) {
			if e.Output == "" {
				t.Errorf("%s: the example of %s checks nothing", dir, e.Name)
			}
		}
		p, err := doc.NewFromFiles(fset, files, "github.com/lowport/lowport/"+dir)
		if err != nil {
			t.Fatal(err)
		}
		funcs := p.Funcs
		for _, typ := range p.Types {
			funcs = append(append(funcs, typ.Funcs...), typ.Methods...)
		}
		for _, f := range funcs {
			seen++
			known := f.Recv != "" && slices.Contains(ofInterfaces, f.Name)
			if len(f.Examples) == 0 && !known {
				t.Errorf("%s: %s %s has no example", dir, f.Recv, f.Name)
			}
		}
	}
	if seen < 100 {
		t.Errorf("%d functions: this test sees too little", seen)
	}
}

// parsed are the files of a package, as Linux has it, with its tests.
func parsed(t *testing.T, dir string) (files []*ast.File, fset *token.FileSet) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	fset = token.NewFileSet()
	for _, path := range paths {
		if strings.HasSuffix(path, "_other.go") {
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parser.ParseFile(fset, path, b, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files, fset
}
