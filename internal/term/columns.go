package term

import (
	"fmt"
	"strings"
)

// A Row is a statement and where to see it by hand.
type Row struct{ Says, Source string }

// Columns writes rows, the sources of most in a column. A row that does not fit has its
// source right behind it, or on a line of its own, which is indented more than a statement
// that is wrapped.
func (t Terminal) Columns(b *strings.Builder, rows []Row) {
	column := t.sourceColumn(rows)
	for _, r := range rows {
		n := len([]rune(r.Says))
		switch {
		case t.fits(r, column):
			fmt.Fprintf(b, "  %-*s  %s\n", column, r.Says, r.Source)
		case t.fits(r, n):
			fmt.Fprintf(b, "  %s  %s\n", r.Says, r.Source)
		case 2+n <= t.Width:
			fmt.Fprintf(b, "  %s\n      %s\n", r.Says, r.Source)
		default:
			t.Wrap(b, "  "+r.Says, "    ")
			fmt.Fprintf(b, "      %s\n", r.Source)
		}
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
