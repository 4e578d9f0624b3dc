package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/audit"
	"github.com/lowport/lowport/internal/term"
)

// audited prints what was found of one process, or of all that hold something, and
// returns the exit status.
func (c *command) audited() int {
	expected, err := readAllowed(c.allow)
	if err != nil {
		return failed(err.status, err)
	}
	if c.given("pid") {
		r, err := audit.Process(c.pid)
		if err != nil {
			return failed(unavailable, err)
		}
		return c.auditedOne(expected.without(r))
	}
	return c.auditedAll(expected)
}

func (c *command) auditedOne(r audit.Report) (code int) {
	var err error
	switch {
	case c.baseline:
		_, err = fmt.Print(baseline([]audit.Report{r}))
	case c.json:
		err = printJSON(r, " ")
	default:
		err = r.Print(os.Stdout)
	}
	return printed(err, c.status(r))
}

func (c *command) auditedAll(expected allowed) int {
	code, seen := 0, auditTable{columns: term.Of(os.Stdout).Width}
	progress := newProgress(os.Stderr)
	for r, err := range audit.All() {
		progress.step("processes")
		switch {
		case errors.Is(err, errors.ErrUnsupported):
			return failed(unavailable, err)
		case err != nil: // there may be more than is seen
			progress.clear()
			failed(0, err)
			hidden := audit.Finding{ID: "could-not-tell", Severity: "unknown", Summary: err.Error()}
			r = audit.Report{Severity: "unknown", Findings: []audit.Finding{hidden}}
			if !c.json {
				code = worse(code, c.status(r))
				continue
			}
		}
		r = expected.without(r)
		code = worse(code, c.status(r))
		if c.json {
			if err := printJSON(r, ""); err != nil {
				return printed(err, code)
			}
			continue
		}
		seen.add(r)
	}
	progress.clear()
	var err error
	switch {
	case c.json:
	case c.baseline:
		_, err = fmt.Print(baseline(seen.rows))
	default:
		_, err = fmt.Print(seen)
	}
	return printed(err, code)
}

// status is 1 for a finding at or above -fail; otherwise 77 for one that could not be told;
// otherwise 0. What -baseline prints is no failure.
func (c *command) status(r audit.Report) int {
	code := 0
	for _, f := range r.Findings {
		switch s := severity(f.Severity); {
		case c.baseline:
		case s.rank() <= c.fail.rank():
			code = worse(code, 1)
		case s == "unknown":
			code = worse(code, 77)
		}
	}
	return code
}

// worse is the code that says more: 1, then 77, then 0.
func worse(a, b int) int {
	switch {
	case a == 1 || b == 1:
		return 1
	case a != 0:
		return a
	}
	return b
}

func printJSON(r audit.Report, indent string) error {
	enc := json.NewEncoder(os.Stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	return enc.Encode(r)
}

// An auditTable is the list of who holds what.
type auditTable struct {
	columns int
	rows    []audit.Report
	silent  int // nothing is known that they hold, and their sockets could not be read
}

func (t *auditTable) add(r audit.Report) {
	if r.Holds == 0 && r.Path == "" && len(r.Listens) == 0 && !found(r, "root") && found(r, "could-not-tell") {
		t.silent++
		return
	}
	t.rows = append(t.rows, r)
}

// String lists the processes, the worst first, and sums them up.
func (t auditTable) String() string {
	var b strings.Builder
	var sums []string
	for _, severity := range severities {
		n := 0
		for _, r := range t.rows {
			if r.Severity == string(severity) {
				n++
				t.row(&b, r)
			}
		}
		if n > 0 {
			sums = append(sums, fmt.Sprintf("%d %s", n, severity))
		}
	}
	who := "processes hold a capability or listen"
	if len(t.rows) == 1 {
		who = "process holds a capability or listens"
	}
	fmt.Fprintf(&b, "%d %s on a low port", len(t.rows), who)
	if len(sums) > 0 {
		b.WriteString(": " + strings.Join(sums, ", "))
	}
	b.WriteByte('\n')
	if t.silent > 0 {
		fmt.Fprintf(&b, "too little could be read of %d more: run this as root\n", t.silent)
	}
	return b.String()
}

// row writes a process, in lines as wide as the terminal but for a long word.
func (t auditTable) row(b *strings.Builder, r audit.Report) {
	head := fmt.Sprintf("%-8s %7d %-15s", r.Severity, r.PID, r.Name)
	words := append([]string{"holds " + holds(r.Holds)}, r.Listens...)
	for _, f := range r.Findings {
		if f.Severity != "note" {
			words = append(words, f.ID)
		}
	}
	column := len([]rune(head))
	b.WriteString(head)
	for i, w := range words {
		if i < len(words)-1 {
			w += ","
		}
		if column+1+len(w) > t.columns && column > 18 {
			b.WriteString("\n" + strings.Repeat(" ", 17))
			column = 17
		}
		b.WriteString(" " + w)
		column += 1 + len(w)
	}
	b.WriteByte('\n')
}

func holds(s caps.Set) string {
	switch {
	case s == 0:
		return "nothing"
	case s.Len() > 2:
		return fmt.Sprintf("%d capabilities", s.Len())
	}
	return strings.ReplaceAll(s.String(), ",", " ")
}

func found(r audit.Report, id string) bool {
	return slices.ContainsFunc(r.Findings, func(f audit.Finding) bool { return f.ID == id })
}
