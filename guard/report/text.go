package report

import (
	"cmp"
	"fmt"
	"os"
	"strings"

	"github.com/lowport/lowport/internal/term"
)

// line returns the report in one line: what failed, and each obstacle with its id. One
// that was read back from JSON has the plain error for its headline.
func (r Report) line() string {
	var why []string
	for i, c := range r.Causes {
		if i == 0 || c.Certainty != Possible {
			why = append(why, c.line())
		}
	}
	head := cmp.Or(r.Headline, r.Error)
	if len(why) == 0 {
		return head
	}
	return head + ": " + strings.Join(why, "; also: ")
}

// line returns what is wrong, and the id to look it up by.
func (c Cause) line() string { return c.Summary + " [" + c.ID + "]" }

// beside says how a further cause goes with the first: one that is only possible may stand
// in place of it.
func (c Cause) beside() string {
	if c.Certainty == Possible {
		return "perhaps"
	}
	return "also"
}

// headline returns that line, broken where a terminal shows it.
func (r Report) headline(t term.Terminal) string {
	if t == term.Plain {
		return r.line() // one line of a log
	}
	var b strings.Builder
	t.Wrap(&b, r.line(), "  ")
	return strings.TrimSuffix(b.String(), "\n")
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

// line returns the step as one line: a command, or what an edit says, with a space for each
// line break.
func (s Step) line(sudo bool) string {
	var words []string
	for l := range strings.Lines(s.Text(sudo)) {
		words = append(words, strings.TrimSpace(l))
	}
	return strings.Join(words, " ")
}

// String returns the report as text of 80 columns: in one line what failed and why, then
// each cause with the rule behind it and the evidence, and each fix as lines to paste into
// a shell, the recommended one first. It holds printable characters and newlines alone,
// whatever the machine's paths and names hold. A report of success is one line.
func (r Report) String() string { return r.text(term.Plain) }

// Print writes the text form to a file. For a terminal it has the columns of the terminal,
// at least 40, and its first line is bold, unless NO_COLOR is set or TERM is dumb.
func (r Report) Print(f *os.File) error {
	_, err := f.WriteString(r.text(term.Of(f)))
	return err
}

// text writes the report for a terminal.
func (r Report) text(t term.Terminal) string {
	var b strings.Builder
	if r.OK {
		fmt.Fprintf(&b, "%s: ok", r.Subject)
		if r.Via != "" {
			fmt.Fprintf(&b, " (%s)", r.Via)
		}
		b.WriteByte('\n')
	} else {
		b.WriteString(t.Bold(r.headline(t)) + "\n\n")
	}
	for i, c := range r.Causes {
		if i == 0 {
			t.Wrap(&b, fmt.Sprintf("cause (%s): %s", c.Certainty, c.Detail), "  ")
			b.WriteString(evidence(r.Facts, t))
		} else {
			t.Wrap(&b, fmt.Sprintf("%s (%s): %s: %s", c.beside(), c.Certainty, c.line(), c.Detail), "  ")
		}
	}
	for i, f := range r.Fixes {
		head := "fix: "
		if i > 0 {
			head = "or: "
		}
		t.Wrap(&b, head+f.terms()+":", strings.Repeat(" ", len(head)))
		for _, s := range f.Steps {
			b.WriteString(s.Text(r.Sudo))
		}
	}
	for _, u := range r.Unhelpful {
		t.Wrap(&b, "no help: "+u, "         ")
	}
	for _, n := range r.Notes {
		t.Wrap(&b, "note: "+n, "      ")
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

// Evidence returns the facts that say something as lines of so many columns, "" for none.
// Commands and paths are not broken.
func Evidence(facts []Fact, columns int) string {
	return evidence(facts, term.Terminal{Width: columns})
}

func evidence(facts []Fact, t term.Terminal) string {
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
	t.Columns(&b, rows)
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
