package adopt

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/diff"
)

const page = "../../docs/adopt.md"

// row returns the line of the page about a server.
func row(t *testing.T, s server, file string, changed int, before, after, fix string) string {
	version := "net/http"
	if s.module != "" {
		version = s.module + " " + moduleVersion(t, file, s.module)
	}
	holds := "nothing"
	if s.keeps {
		holds = "cap_net_bind_service"
	}
	dir := filepath.Dir(file)
	show := func(log string) string {
		log = untimed.ReplaceAllString(strings.TrimSpace(log), "")
		if field := inField.FindStringIndex(log); field != nil {
			log = log[:field[1]] + " …"
		}
		return "`" + strings.ReplaceAll(log, dir, "/srv") + "`"
	}
	told := show(after)
	if !strings.Contains(after, strings.TrimSpace(fix)) {
		told += "<br>" + show(fix) // in its report it stands below
	}
	return fmt.Sprintf("| [%s](../internal/adopt/%s/main.go), %s | %d | %s | %s | %s |\n", s.name, s.folder(), version, changed, show(before), told, holds)
}

// untimed matches what differs with each start of a server: the times of log and slog.
var untimed = regexp.MustCompile(`^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d |"time":"[^"]*",|"ts":[0-9.e+]*,`)

// moduleVersion returns the version of a module that a program was built with.
func moduleVersion(t *testing.T, file, module string) string {
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, dep := range info.Deps {
		if dep.Path == module {
			return dep.Version
		}
	}
	t.Fatalf("%s was built without %s", file, module)
	return ""
}

// checkPage compares the table of the page with what was seen. The rows of servers that were
// not tried stay as they are, but have to be there.
func checkPage(t *testing.T, rows []string) {
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, table, ok := strings.Cut(string(b), "| --- | --- | --- | --- | --- |\n")
	if !ok {
		t.Fatalf("%s has no table", page)
	}
	old := slices.Collect(strings.Lines(table))
	text := head + "| --- | --- | --- | --- | --- |\n"
	for _, s := range servers {
		of := func(line string) bool { return strings.HasPrefix(line, "| ["+s.name+"]") }
		from := rows
		if !slices.ContainsFunc(rows, of) {
			from = old
		}
		if i := slices.IndexFunc(from, of); i >= 0 {
			text += from[i]
		} else {
			t.Errorf("%s has no row about %s", page, s.name)
		}
	}
	if *update {
		if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if !*update {
		if d := diff.Of(string(b), text); d != "" {
			t.Errorf("%s differs (go test -update writes it):\n%s", page, d)
		}
	}
}
