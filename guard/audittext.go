package guard

import (
	"fmt"
	"strings"

	"github.com/lowport/lowport/internal/audit"
)

// String returns the report as text of 80 columns: each finding with its evidence
// and what it allows, then the fixes as lines to paste into a shell, with the
// findings they end. Where nothing was found it is what was read. It holds
// printable characters and newlines alone.
func (r AuditReport) String() string {
	var b strings.Builder
	wrap(&b, r.headline(), "  ")
	if !r.OK() {
		b.WriteByte('\n')
	}
	var notes []Finding
	for _, f := range r.Findings {
		if f.Severity == string(audit.Note) {
			notes = append(notes, f)
			continue
		}
		wrap(&b, fmt.Sprintf("%s (%s): %s", f.Severity, f.ID, f.Summary), "  ")
		wrap(&b, "allows an attacker to: "+f.Allows, "  ")
		evidence(&b, f.Facts)
		if len(f.Fixes) == 0 {
			wrap(&b, "helps: "+f.Helps, "  ")
		}
	}
	for _, f := range r.Fixes {
		wrap(&b, fmt.Sprintf("fix: %s (%s; ends %s):", f.Summary, f.Lasts, strings.Join(r.endedBy(f.ID), ", ")), "     ")
		for _, s := range f.Steps {
			step(&b, s, r.sudo)
		}
	}
	for _, f := range notes {
		wrap(&b, "note ("+f.ID+"): "+f.Summary, "      ")
	}
	if r.OK() {
		evidence(&b, r.Facts)
	}
	return b.String()
}

// endedBy are the findings that a fix ends.
func (r AuditReport) endedBy(fix string) []string {
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
