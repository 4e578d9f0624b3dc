package lowport_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A snippet is a code block of a doc comment.
type snippet struct{ file, text string }

// snippets returns the code blocks of every doc comment of this module.
func snippets(t *testing.T) []snippet {
	t.Helper()
	var all []snippet
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		hidden := path != "." && strings.HasPrefix(d.Name(), ".") // as the go command has it
		if err == nil && d.IsDir() && (hidden || d.Name() == "testdata" || path == "internal/bench") {
			return filepath.SkipDir
		}
		if err != nil || !strings.HasSuffix(path, ".go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			var group *ast.CommentGroup
			switch n := n.(type) {
			case *ast.File:
				group = n.Doc
			case *ast.FuncDecl:
				group = n.Doc
			case *ast.GenDecl:
				group = n.Doc
			case *ast.Field:
				group = n.Doc
			}
			for _, block := range new(comment.Parser).Parse(group.Text()).Content {
				if code, ok := block.(*comment.Code); ok {
					all = append(all, snippet{path, code.Text})
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// What the snippets may use beside what they declare.
var (
	imports = map[string]string{
		"audit": module + "guard/audit", "caps": module + "caps", "drop": module + "caps/drop", "guard": module + "guard", "report": module + "guard/report", "guardtest": module + "guard/guardtest", "preflight": module + "guard/preflight", "privport": module + "privport", "recording": module + "guard/recording", "unit": module + "guard/unit",
		"errors": "errors", "exec": "os/exec", "fmt": "fmt", "fs": "io/fs", "http": "net/http", "log": "log", "net": "net", "os": "os",
	}
	given = "var (\n\terr error\n\thandler http.Handler\n\tcertFile, keyFile string\n)\n"
	named = regexp.MustCompile(`\b([a-z]+)\.[A-Z]`)
)

// Every block of Go in a doc comment compiles. What does not parse as Go is a
// table, a command or output.
func TestDocSnippets(t *testing.T) {
	files := map[string]string{"main.go": "package main\n\nimport \"net/http\"\n\n" + given + "func main() {}\n"}
	from := map[string]string{}
	for i, s := range snippets(t) {
		body := fmt.Sprintf("func _() {\n%s\n}\n", s.text)
		if _, err := parser.ParseFile(token.NewFileSet(), "", "package main\n"+body, 0); err != nil || !strings.ContainsAny(s.text, "(=") {
			continue
		}
		head := "package main\n"
		seen := map[string]bool{}
		for _, m := range named.FindAllStringSubmatch(s.text, -1) {
			if path, ok := imports[m[1]]; ok && !seen[path] {
				seen[path] = true
				head += "import " + quote(path) + "\n"
			}
		}
		name := fmt.Sprintf("snippet%d.go", i)
		files[name], from[name] = head+body, s.file
	}
	if len(from) < 3 {
		t.Errorf("%d blocks of Go: this test sees too little", len(from))
	}
	out, _ := buildOverlaid(t, files)
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "#") || strings.Contains(line, "declared and not used") {
			continue
		}
		name, _, _ := strings.Cut(filepath.Base(line), ":")
		t.Errorf("%s: %s%s", from[name], line, files[name])
	}
}

// A command in a doc comment names folders that are there.
func TestDocCommands(t *testing.T) {
	folder := regexp.MustCompile(`(?:^|\s)(\./[a-z/]+)`)
	seen := 0
	for _, s := range snippets(t) {
		for _, m := range folder.FindAllStringSubmatch(s.text, -1) {
			seen++
			if info, err := os.Stat(m[1]); err != nil || !info.IsDir() {
				t.Errorf("%s: %q: no folder %s", s.file, s.text, m[1])
			}
		}
	}
	if seen == 0 {
		t.Error("no command: this test sees nothing")
	}
}

// quote returns s as a string of JSON, which is one of Go as well.
func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}
