package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/audit"
)

// What -audit takes of the command line.
var (
	auditing = flag.Bool("audit", false, "say what running processes could do in an attacker's hands")
	auditPID = flag.Int("pid", 0, "audit only the process with this `id`")
)

// auditCommand prints what was found of one process, or of all that hold something, and
// returns the exit code: the worst of 1, something above a note was found; 77, it
// could not be told; and 0.
func auditCommand(asJSON bool) int {
	if flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "doctor: -audit takes no address")
		return 64
	}
	if given("pid") {
		r, err := audit.Process(*auditPID)
		if err != nil {
			fmt.Fprintln(os.Stderr, "doctor:", err)
			return 69
		}
		if asJSON {
			err = printJSON(r, " ")
		} else {
			_, err = fmt.Print(r)
		}
		return printed(err, r.ExitCode())
	}
	code, seen := 0, auditTable{}
	for r, err := range audit.All() {
		switch {
		case errors.Is(err, errors.ErrUnsupported):
			fmt.Fprintln(os.Stderr, "doctor:", err)
			return 69
		case err != nil: // there may be more than is seen
			fmt.Fprintln(os.Stderr, "doctor:", err)
			r = audit.Report{Severity: "unknown", Findings: []audit.Finding{{ID: "could-not-tell", Severity: "unknown", Summary: err.Error()}}}
			if !asJSON {
				code = worse(code, r.ExitCode())
				continue
			}
		}
		code = worse(code, r.ExitCode())
		if asJSON {
			if err := printJSON(r, ""); err != nil {
				return printed(err, code)
			}
			continue
		}
		seen.add(r)
	}
	if asJSON {
		return code
	}
	_, err := fmt.Print(seen)
	return printed(err, code)
}

// given says whether the command line has a flag. A -pid of 0 is one: systemctl says so
// of a service that does not run, and all that do run are no answer to that.
func given(name string) (is bool) {
	flag.Visit(func(f *flag.Flag) { is = is || f.Name == name })
	return is
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

func printed(err error, code int) int {
	if err != nil {
		fmt.Fprintln(os.Stderr, "doctor:", err)
		return 74 // EX_IOERR
	}
	return code
}

func printJSON(r audit.Report, indent string) error {
	enc := json.NewEncoder(os.Stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	return enc.Encode(r)
}

// An auditTable is the list of who holds what.
type auditTable struct {
	rows   []audit.Report
	silent int // nothing is known that they hold, and their sockets could not be read
}

func (t *auditTable) add(r audit.Report) {
	if r.Holds == 0 && r.Path == "" && len(r.Listens) == 0 && !found(r, "root") && found(r, "could-not-tell") {
		t.silent++
		return
	}
	t.rows = append(t.rows, r)
}

// severities are in the order of the list.
var severities = []string{"critical", "high", "medium", "unknown", "note", "none"}

// String lists the processes, the worst first, and sums them up.
func (t auditTable) String() string {
	var b strings.Builder
	var sums []string
	for _, severity := range severities {
		n := 0
		for _, r := range t.rows {
			if r.Severity == severity {
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

// row writes a process, in lines of up to 80 columns but for a long word.
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
		if column+1+len(w) > 80 && column > 18 {
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
