//go:build linux

package lab

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/txtar"
)

// A shell's "set -e" looks away from a command behind "!" and from one before "&&" (sh(1)): in
// the middle of a section it can fail unseen, and the scenario would pass though what it claims
// were wrong.
func TestNothingIsUnheard(t *testing.T) {
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, section := range txtar.Parse(text).Files {
			for _, line := range unheard(string(section.Data)) {
				t.Errorf("%s, section %s: set -e does not hear of this: it takes \"|| exit 1\", or two lines\n%s", file, section.Name, line)
			}
		}
	}
}

func TestUnheard(t *testing.T) {
	for script, want := range map[string]int{
		"! true\n":                                  0, // the status of the section
		"! true\n\n# the end\n":                     0,
		"[ 1 = 2 ] && [ 1 = 1 ]\necho on\n":         1,
		"[ 1 = 1 ] && [ 1 = 1 ] || exit 1\ntrue\n":  0,
		"! true\necho on\n":                         1,
		"f() {\n\t! true\n}\n":                      1,
		"! true || exit 1\necho on\n":               0,
		"! true \\\n\t>/dev/null || exit 1\ntrue\n": 0,
		"! true \\\n\t>/dev/null\ntrue\n":           1,
	} {
		if got := unheard(script); len(got) != want {
			t.Errorf("%q: %q", script, got)
		}
	}
}

// unheard are the lines of a script that claim something and whose status nothing looks at. The
// last line's is that of the script.
func unheard(script string) (found []string) {
	var lines []string
	for line := range strings.Lines(strings.ReplaceAll(script, "\\\n", "")) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			lines = append(lines, line)
		}
	}
	for i, line := range lines {
		claims := strings.HasPrefix(line, "! ") || strings.HasPrefix(line, "[ ") && strings.Contains(line, " && ")
		if i+1 < len(lines) && claims && !strings.Contains(line, "||") {
			found = append(found, line)
		}
	}
	return found
}
