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

// docs/compare.md names every tool that people use for low ports.
func TestCompared(t *testing.T) {
	page := text(t, "docs/compare.md")
	for _, tool := range []string{
		"getcap", "setcap", "capsh --decode", "/proc/PID/status", "setpriv", "authbind", "ip_unprivileged_port_start", "mkunit",
		"systemd-analyze security", "sudo", "set-user-ID", "docker -p", "hostPort", "reverse proxy", "CapEff", "strace",
	} {
		if !strings.Contains(page, tool) {
			t.Errorf("docs/compare.md does not name %s", tool)
		}
	}
}

// Every link of a page to a file of this repository leads to one, and to a heading of it.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]*)(#[^)]+)?\)`)
	heading := regexp.MustCompile(`(?m)^#+ (.+)$`)
	seen := 0
	for _, pattern := range []string{"*.md", "docs/*.md", "examples/*/*.md"} {
		pages, err := filepath.Glob(pattern)
		if err != nil || len(pages) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, page := range pages {
			for _, m := range link.FindAllStringSubmatch(text(t, page), -1) {
				seen++
				to := filepath.Join(filepath.Dir(page), m[1])
				if m[1] == "" {
					to = page
				}
				if _, err := os.Stat(to); err != nil {
					t.Errorf("%s: %v", page, err)
					continue
				}
				if m[2] == "" || !strings.HasSuffix(to, ".md") {
					continue
				}
				var slugs []string
				for _, h := range heading.FindAllStringSubmatch(text(t, to), -1) {
					slugs = append(slugs, "#"+slug(h[1]))
				}
				if !slices.Contains(slugs, m[2]) {
					t.Errorf("%s: %s has no heading %s", page, to, m[2])
				}
			}
		}
	}
	if seen < 20 {
		t.Errorf("%d links: this test sees too little", seen)
	}
}

// slug returns the anchor that GitHub gives a heading.
func slug(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z':
			return r
		}
		return -1
	}, strings.ToLower(heading))
}
