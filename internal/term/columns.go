package term

import (
	"fmt"
	"strings"
)

// A Row is a statement and where to see it by hand.
type Row struct{ Says, Source string }

// Columns writes rows, the sources of most in a column. A row that does not fit has its
// source right behind it, or on a line of its own. A statement longer than the line is wrapped.
func (t Terminal) Columns(b *strings.Builder, rows []Row) {
	column := t.sourceColumn(rows)
	for _, r := range rows {
		pad := 0
		switch n := len([]rune(r.Says)); {
		case t.fits(r, column):
			pad = column
		case 2+n > t.Width:
			t.Wrap(b, "  "+r.Says, "    ")
			b.WriteString("     " + r.Source + "\n")
			continue
		case !t.fits(r, n):
			r.Says += "\n     "
		}
		fmt.Fprintf(b, "  %-*s  %s\n", pad, r.Says, r.Source)
	}
}

// sourceColumn returns the column that most rows fit.
func (t Terminal) sourceColumn(rows []Row) int {
	best, most := 0, 0
	for _, r := range rows {
		at, fit := len([]rune(r.Says)), 0
		for _, r := range rows {
			if t.fits(r, at) {
				fit++
			}
		}
		if fit > most {
			best, most = at, fit
		}
	}
	return best
}

// fits reports whether the statement ends before a column and its source there before
// the end of the line.
func (t Terminal) fits(r Row, column int) bool {
	return len([]rune(r.Says)) <= column && 2+column+2+len(r.Source) <= t.Width
}
