package lowport_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func text(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What the papers name is there: files, and verbs of the Makefile.
func TestPapers(t *testing.T) {
	var verbs []string
	for _, m := range regexp.MustCompile(`(?m)^([a-z]+):`).FindAllStringSubmatch(text(t, "Makefile"), -1) {
		verbs = append(verbs, m[1])
	}
	named := regexp.MustCompile("`([^`\n]+)`")
	file := regexp.MustCompile(`^[a-z.]+(/[a-zA-Z.]+)*$`)
	seen := 0
	for _, paper := range []string{"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"} {
		for _, m := range named.FindAllStringSubmatch(text(t, paper), -1) {
			name := m[1]
			if verb, ok := strings.CutPrefix(name, "make "); ok && !slices.Contains(verbs, verb) {
				t.Errorf("%s: no %q in the Makefile, which has %v", paper, name, verbs)
			}
			if !file.MatchString(name) || !strings.Contains(name, "/") {
				continue
			}
			seen++
			if _, err := os.Stat(name); err != nil {
				t.Errorf("%s: %v", paper, err)
			}
		}
	}
	for _, m := range regexp.MustCompile(`(?:\./|cd )([a-z./]+)`).FindAllStringSubmatch(text(t, "Makefile"), -1) {
		if _, err := os.Stat(strings.TrimSuffix(m[1], "...")); m[1] != "..." && err != nil {
			t.Errorf("Makefile: %v", err)
		}
	}
	if len(verbs) == 0 || seen == 0 {
		t.Errorf("%d verbs, %d files: this test sees too little", len(verbs), seen)
	}
}

// CONTRIBUTING.md names every room.
func TestRooms(t *testing.T) {
	paper := text(t, "CONTRIBUTING.md")
	rooms, err := os.ReadDir("internal")
	if err != nil {
		t.Fatal(err)
	}
	for _, room := range rooms {
		if name := "internal/" + room.Name(); room.IsDir() && !strings.Contains(paper, "`"+name+"`") {
			t.Errorf("CONTRIBUTING.md does not name %s", name)
		}
	}
}

// SECURITY.md names for each promise a test that holds it, and the test is there.
func TestPromises(t *testing.T) {
	row := regexp.MustCompile(`(?m)^\|.+\| (.+) \|$`)
	named := regexp.MustCompile("`([a-z/.]+) (Test|Fuzz)([A-Za-z]+)`")
	rows := row.FindAllStringSubmatch(text(t, "SECURITY.md"), -1)
	if len(rows) < 10 {
		t.Fatalf("%d promises: this test sees too little", len(rows))
	}
	for _, r := range rows[2:] { // after the head and its line
		tests := named.FindAllStringSubmatch(r[1], -1)
		if len(tests) == 0 {
			t.Errorf("no test: %s", r[0])
		}
		for _, n := range tests {
			files, err := filepath.Glob(n[1] + "/*_test.go")
			if err != nil || len(files) == 0 {
				t.Errorf("%s has no tests: %v", n[1], err)
			}
			if !slices.ContainsFunc(files, func(f string) bool { return strings.Contains(text(t, f), "\nfunc "+n[2]+n[3]+"(") }) {
				t.Errorf("%s has no %s%s", n[1], n[2], n[3])
			}
		}
	}
}

// What a workflow runs is the gate, without the right to write, and no action
// that can change under the same name. A release alone may write, once the gate has passed.
func TestWorkflows(t *testing.T) {
	files, err := filepath.Glob(".github/workflows/*")
	if err != nil || len(files) == 0 {
		t.Fatal("no workflows: ", err)
	}
	pinned := regexp.MustCompile(`uses:\s*\S+@[0-9a-f]{40}(\s|$)`)
	for _, name := range files {
		all := text(t, name)
		gated, release, _ := strings.Cut(all, "\n  release:\n    needs: gate\n")
		if !strings.Contains(gated, "\npermissions:\n  contents: read\n") || strings.Contains(gated, ": write") {
			t.Errorf("%s: its permissions are not to read the contents alone", name)
		}
		if release != "" && !strings.Contains(release, "run: GOTOOLCHAIN=auto .ci/release ") {
			t.Errorf("%s: the release is not what .ci/release builds", name)
		}
		if !strings.Contains(all, ".ci/run\n") && !strings.Contains(all, ".ci/fuzz\n") {
			t.Errorf("%s runs neither .ci/run nor .ci/fuzz", name)
		}
		for line := range strings.Lines(all) {
			if strings.Contains(line, "uses:") && !pinned.MatchString(line) {
				t.Errorf("%s: not pinned by a full commit hash: %s", name, line)
			}
		}
	}
}
