package preflight

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A process has a filter if one of its threads has one; a line that is missing is no zero.
func TestFiltered(t *testing.T) {
	for name, c := range map[string]struct {
		threads map[string]string
		want    string // "" for no filter
	}{
		"no filter":                {map[string]string{"7": "Seccomp:\t0\n", "8": "Seccomp:\t0\n"}, ""},
		"a filter":                 {map[string]string{"7": "Seccomp:\t2\n"}, "Seccomp: 2 in "},
		"strict":                   {map[string]string{"7": "Seccomp:\t1\n"}, "Seccomp: 1 in "},
		"a filter of one thread":   {map[string]string{"7": "Seccomp:\t0\n", "8": "Seccomp:\t2\n"}, "/8/status"},
		"no line":                  {map[string]string{"7": "Name:\tx\n"}, "could not be read"},
		"an unknown mode":          {map[string]string{"7": "Seccomp:\t3\n"}, "could not be read"},
		"a thread that ended":      {map[string]string{"7": "Seccomp:\t0\n", "8": ""}, ""},
		"no thread could be found": {nil, "could not be read"},
	} {
		dir := t.TempDir()
		for id, status := range c.threads {
			if err := os.Mkdir(filepath.Join(dir, id), 0o700); err != nil {
				t.Fatal(err)
			}
			if status == "" {
				continue
			}
			if err := os.WriteFile(filepath.Join(dir, id, "status"), []byte(status+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := filtered(dir); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
