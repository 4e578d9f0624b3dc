package guard

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/lowport/lowport/internal/remedy"
)

// width is the columns of the text form. Commands are never broken.
const width = 80

// line is the report in one line. One that was read back from JSON has the plain
// error for its headline.
func (r Report) line() string {
	head := cmp.Or(r.headline, r.Error)
	if len(r.Causes) == 0 {
		return head
	}
	return head + ": " + r.Causes[0].Summary
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
			wrap(&b, fmt.Sprintf("cause (%s): %s", c.Certainty, c.Detail), "  ")
			evidence(&b, r.Facts)
		} else {
			wrap(&b, fmt.Sprintf("also (%s): %s: %s", c.Certainty, c.Summary, c.Detail), "  ")
		}
	}
	for _, f := range r.Fixes {
		wrap(&b, fmt.Sprintf("fix: %s (%s):", f.Summary, f.Lasts), "     ")
		for _, s := range f.Steps {
			step(&b, s, r.sudo)
		}
	}
	for i, u := range r.Unhelpful {
		head := "no help: "
		if i > 0 {
			head = "         "
		}
		wrap(&b, head+u, "         ")
	}
	for _, n := range r.Notes {
		wrap(&b, "note: "+n, "      ")
	}
	return b.String()
}

// evidence writes the facts that say something, the sources of most in a column. One
// that does not fit has its source right behind it, or on a line of its own.
func evidence(b *strings.Builder, facts []Fact) {
	var said []Fact
	for _, f := range facts {
		if f.says != "" {
			f.Source = strings.TrimPrefix(f.Source, "/proc/sys/net/ipv4/")
			said = append(said, f)
		}
	}
	if len(said) > 0 {
		b.WriteString("evidence:\n")
	}
	column := sourceColumn(said)
	for _, f := range said {
		pad := 0
		switch n := len([]rune(f.says)); {
		case f.fits(column):
			pad = column
		case !f.fits(n):
			f.says += "\n     "
		}
		fmt.Fprintf(b, "  %-*s  %s\n", pad, f.says, f.Source)
	}
}

// sourceColumn is the one that most facts fit.
func sourceColumn(said []Fact) int {
	best, most := 0, 0
	for _, f := range said {
		at, fit := len([]rune(f.says)), 0
		for _, f := range said {
			if f.fits(at) {
				fit++
			}
		}
		if fit > most {
			best, most = at, fit
		}
	}
	return best
}

// fits says whether what the fact says ends before a column and its source there
// before the end of the line.
func (f Fact) fits(column int) bool {
	return len([]rune(f.says)) <= column && 2+column+2+len(f.Source) <= width
}

// step writes one step as it is pasted.
func step(b *strings.Builder, s Step, sudo bool) {
	switch {
	case s.Write != "":
		install := "install -D -m 644 /dev/stdin "
		if sudo {
			install = "sudo " + install
		}
		b.WriteString("  printf '%s\\n'")
		for l := range strings.Lines(s.Content) {
			b.WriteString(" " + remedy.Quote(strings.TrimSuffix(l, "\n")))
		}
		b.WriteString(" |\n    " + install + remedy.Quote(s.Write) + "\n")
	case s.Edit != "":
		fmt.Fprintf(b, "  in %s:\n", s.Edit)
		for l := range strings.Lines(s.Content) {
			b.WriteString("    " + l)
		}
	default:
		b.WriteString("  " + s.Run + s.Start + "\n")
	}
}

// wrap writes prose, broken at spaces, later lines behind indent.
func wrap(b *strings.Builder, text, indent string) {
	lead := text[:len(text)-len(strings.TrimLeft(text, " "))]
	b.WriteString(lead)
	column, start := len(lead), true
	for _, word := range strings.Fields(text) {
		n := len([]rune(word))
		switch {
		case start:
		case column+1+n > width:
			b.WriteString("\n" + indent)
			column = len(indent)
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column, start = column+n, false
	}
	b.WriteByte('\n')
}
