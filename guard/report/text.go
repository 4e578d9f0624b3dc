package report

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/lowport/lowport/internal/term"
)

// line is the report in one line. One that was read back from JSON has the plain
// error for its headline.
func (r Report) line() string {
	head := cmp.Or(r.Headline, r.Error)
	if len(r.Causes) == 0 {
		return head
	}
	return head + ": " + r.Causes[0].Summary
}

// fixLine returns the first fix as one line, "" for none.
func (r Report) fixLine() string {
	if len(r.Fixes) == 0 {
		return ""
	}
	var parts []string
	for _, s := range r.Fixes[0].Steps {
		parts = append(parts, s.line(r.Sudo))
	}
	return strings.Join(parts, " && ")
}

// line returns the step as one line: a command, or an edit with its line breaks escaped.
func (s Step) line(sudo bool) string {
	if s.Edit != "" {
		return fmt.Sprintf("in %s: %s", s.Edit, strings.ReplaceAll(strings.TrimSuffix(s.Content, "\n"), "\n", `\n`))
	}
	var words []string
	for l := range strings.Lines(s.Text(sudo)) {
		words = append(words, strings.TrimSpace(l))
	}
	return strings.Join(words, " ")
}

// String returns the report as text of 80 columns: what failed, the causes with
// their evidence, and each fix as lines to paste into a shell. It holds
// printable characters and newlines alone, whatever the machine's paths and
// names hold. A report of success is one line.
func (r Report) String() string {
	var b strings.Builder
	if r.OK {
		fmt.Fprintf(&b, "%s: ok", r.Subject)
		if r.Via != "" {
			fmt.Fprintf(&b, " (%s)", r.Via)
		}
		b.WriteByte('\n')
	} else {
		b.WriteString(r.line() + "\n\n")
	}
	for i, c := range r.Causes {
		if i == 0 {
			term.Wrap(&b, fmt.Sprintf("cause (%s): %s", c.Certainty, c.Detail), "  ")
			b.WriteString(Evidence(r.Facts))
		} else {
			term.Wrap(&b, fmt.Sprintf("also (%s): %s: %s", c.Certainty, c.Summary, c.Detail), "  ")
		}
	}
	for i, f := range r.Fixes {
		head := "fix: "
		if i > 0 {
			head = "or: "
		}
		term.Wrap(&b, head+f.terms()+":", strings.Repeat(" ", len(head)))
		for _, s := range f.Steps {
			b.WriteString(s.Text(r.Sudo))
		}
	}
	for i, u := range r.Unhelpful {
		head := "no help: "
		if i > 0 {
			head = "         "
		}
		term.Wrap(&b, head+u, "         ")
	}
	for _, n := range r.Notes {
		term.Wrap(&b, "note: "+n, "      ")
	}
	return b.String()
}

// terms returns what the fix is about, how long it lasts, on what it depends and what it
// costs.
func (f Fix) terms() string {
	terms := f.Lasts
	for _, more := range []string{f.Depends, f.Costs} {
		if more != "" {
			terms += "; " + more
		}
	}
	return fmt.Sprintf("%s (%s)", f.Summary, terms)
}

// Evidence returns the facts that say something as lines of 80 columns, "" for none.
func Evidence(facts []Fact) string {
	var rows []term.Row
	for _, f := range facts {
		if f.Says != "" {
			rows = append(rows, term.Row{Says: f.Says, Source: strings.TrimPrefix(f.Source, "/proc/sys/net/ipv4/")})
		}
	}
	if len(rows) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("evidence:\n")
	term.Columns(&b, rows)
	return b.String()
}

// Text returns the step as lines to paste into a shell. With sudo, whoever pastes them
// is not root.
func (s Step) Text(sudo bool) string {
	var b strings.Builder
	switch {
	case s.Write != "":
		install := "install -D -m 644 /dev/stdin "
		if sudo {
			install = "sudo " + install
		}
		b.WriteString("  printf '%s\\n'")
		for l := range strings.Lines(s.Content) {
			b.WriteString(" " + term.Quote(strings.TrimSuffix(l, "\n")))
		}
		b.WriteString(" |\n    " + install + term.Quote(s.Write) + "\n")
	case s.Edit != "":
		fmt.Fprintf(&b, "  in %s:\n", s.Edit)
		for l := range strings.Lines(s.Content) {
			b.WriteString("    " + l)
		}
	default:
		b.WriteString("  " + s.Run + s.Start + "\n")
	}
	return b.String()
}
