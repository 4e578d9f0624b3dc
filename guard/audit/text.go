package audit

import (
	"fmt"
	"os"
	"strings"

	"github.com/lowport/lowport/guard/report"
	inner "github.com/lowport/lowport/internal/audit"
	"github.com/lowport/lowport/internal/term"
)

// String returns the report as text of 80 columns: each finding with its evidence
// and what it allows, then the fixes as lines to paste into a shell, with the
// findings they end. If nothing was found, it lists what was read. The text has
// printable characters and newlines alone.
func (r Report) String() string { return r.text(term.Plain) }

// Print writes the text form to a file. For a terminal it has the columns of the terminal, at
// least 40, and its first line is bold, unless NO_COLOR is set or TERM is dumb.
func (r Report) Print(f *os.File) error {
	_, err := f.WriteString(r.text(term.Of(f)))
	return err
}

func (r Report) text(t term.Terminal) string {
	var b, head strings.Builder
	t.Wrap(&head, r.headline(), "  ")
	b.WriteString(t.Bold(strings.TrimSuffix(head.String(), "\n")) + "\n")
	if !r.OK() {
		b.WriteByte('\n')
	}
	var notes []Finding
	for _, f := range r.Findings {
		if f.Severity == string(inner.Note) {
			notes = append(notes, f)
			continue
		}
		t.Wrap(&b, fmt.Sprintf("%s (%s): %s", f.Severity, f.ID, f.Summary), "  ")
		if f.Severity != string(inner.Unknown) {
			t.Wrap(&b, "allows an attacker to: "+f.Allows, "  ")
		}
		b.WriteString(report.Evidence(f.Facts, t.Width))
		if len(f.Fixes) == 0 {
			t.Wrap(&b, "helps: "+f.Helps, "  ")
		}
	}
	for _, f := range r.Fixes {
		t.Wrap(&b, fmt.Sprintf("fix: %s (%s; ends %s):", f.Summary, f.Lasts, strings.Join(r.endedBy(f.ID), ", ")), "     ")
		for _, s := range f.Steps {
			b.WriteString(s.Text(r.sudo))
		}
	}
	for _, f := range notes {
		t.Wrap(&b, "note ("+f.ID+"): "+f.Summary, "      ")
	}
	if r.OK() {
		b.WriteString(report.Evidence(r.Facts, t.Width))
	}
	return b.String()
}

// endedBy are the findings that a fix ends.
func (r Report) endedBy(fix string) []string {
	var ids []string
	for _, f := range r.Findings {
		for _, id := range f.Fixes {
			if id == fix {
				ids = append(ids, f.ID)
			}
		}
	}
	return ids
}
