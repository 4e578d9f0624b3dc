package lowport_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// methods that nobody calls by name: those of an interface of the standard
// library, which fmt, encoding, errors, flag or slog call.
var standard = []string{
	"Error", "Unwrap", "Format", "String", "Set", "LogValue", "MarshalJSON",
	"AppendText", "MarshalText", "UnmarshalText", "MarshalBinary", "UnmarshalBinary",
}

// Every function and method that a user calls has an example.
func TestEveryFunctionHasExample(t *testing.T) {
	for _, pkg := range []string{"guard", "guard/guardtest", "privport", "caps", "caps/drop"} {
		fset, files := token.NewFileSet(), []*ast.File{}
		names, err := filepath.Glob(pkg + "/*.go")
		if err != nil || len(names) == 0 {
			t.Fatal(pkg, err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "other.go") {
				continue // the same functions, off Linux
			}
			file, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
		p, err := doc.NewFromFiles(fset, files, module+pkg)
		if err != nil {
			t.Fatal(err)
		}
		funcs := p.Funcs
		for _, typ := range p.Types {
			funcs = append(funcs, typ.Funcs...)
			for _, m := range typ.Methods {
				if !slices.Contains(standard, m.Name) {
					funcs = append(funcs, m)
				}
			}
		}
		if len(funcs) < 3 {
			t.Errorf("%s: %d functions: this test sees too little", pkg, len(funcs))
		}
		for _, f := range funcs {
			if len(f.Examples) == 0 {
				t.Errorf("%s: %s %s has no example", pkg, f.Recv, f.Name)
			}
		}
	}
}
