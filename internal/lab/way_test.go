//go:build linux

package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// way runs the section "way", which tries out one way of binding, and compares what it prints
// with the way's row in docs/deploy.md.
func (sc *scenario) way(args []string) (string, error) {
	if len(args) != 1 {
		return "", errors.New("usage: way NAME")
	}
	columns, rows, err := wayTable()
	if err != nil {
		return "", err
	}
	row, ok := rows[args[0]]
	if !ok {
		return "", fmt.Errorf("docs/deploy.md has no row %q", args[0])
	}
	out, err := sc.inside([]string{"way"})
	if err != nil {
		return out, err
	}
	var said []string
	for i, column := range columns {
		said = append(said, column+": "+row[i]+"\n")
	}
	if want := strings.Join(said, ""); out != want {
		return out, fmt.Errorf("docs/deploy.md says of %s\n%s\nand the kernel\n%s", args[0], want, out)
	}
	return out, nil
}

// rowName is the name of a row, which may be a link.
var rowName = regexp.MustCompile(`^\[([^]]+)\]\(([^)]+)\)$`)

// wayTable reads docs/deploy.md's table of the ways: the columns, and the cells of each row.
func wayTable() (columns []string, rows map[string][]string, err error) {
	content, err := os.ReadFile("../../docs/deploy.md")
	if err != nil {
		return nil, nil, err
	}
	_, section, _ := strings.Cut(string(content), "\n## Which one should I use?\n")
	section, _, _ = strings.Cut(section, "\n## ")
	rows = map[string][]string{}
	for line := range strings.Lines(section) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			continue
		}
		var cells []string
		for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
			cells = append(cells, strings.TrimSpace(cell))
		}
		switch name := rowName.FindStringSubmatch(cells[0]); {
		case columns == nil:
			columns = cells[1:]
		case strings.Trim(strings.Join(cells, ""), ":-") == "":
		case name == nil || len(cells) != len(columns)+1:
			return nil, nil, fmt.Errorf("docs/deploy.md: a row that is none: %s", line)
		case slices.ContainsFunc(cells[1:], func(s string) bool { return s != "yes" && s != "no" }):
			return nil, nil, fmt.Errorf("docs/deploy.md: a cell is neither yes nor no: %s", line)
		default:
			if _, err := os.Stat(filepath.Join("../../docs", name[2])); err != nil {
				return nil, nil, fmt.Errorf("docs/deploy.md: %w", err)
			}
			rows[name[1]] = cells[1:]
		}
	}
	return columns, rows, nil
}

// Every row of the table has its scenario, and every such scenario its row.
func TestEveryWayIsTried(t *testing.T) {
	columns, rows, err := wayTable()
	if err != nil {
		t.Fatal(err)
	}
	if len(columns) < 3 || len(rows) < 3 {
		t.Fatalf("columns %q, rows %v: this test sees too little", columns, rows)
	}
	scenarios, err := filepath.Glob("testdata/script/way-*.txtar")
	if err != nil || len(scenarios) != len(rows) {
		t.Errorf("%d rows, %d scenarios, %v", len(rows), len(scenarios), err)
	}
	for name := range rows {
		file := "testdata/script/way-" + strings.ReplaceAll(name, " ", "-") + ".txtar"
		content, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(content), "\nway '"+name+"'\n") && !strings.Contains(string(content), "\nway "+name+"\n") {
			t.Errorf("%s does not try %q: %v", file, name, err)
		}
	}
}
