package term

import (
	"fmt"
	"strings"
)

// A Row is a statement and where to see it by hand.
type Row struct{ Says, Source string }

// Columns writes rows, the sources of most in a column. A row that does not fit has its
// source right behind it, or on a line of its own.
func Columns(b *strings.Builder, rows []Row) {
	column := sourceColumn(rows)
	for _, r := range rows {
		pad := 0
		switch n := len([]rune(r.Says)); {
		case r.fits(column):
			pad = column
		case !r.fits(n):
			r.Says += "\n     "
		}
		fmt.Fprintf(b, "  %-*s  %s\n", pad, r.Says, r.Source)
	}
}

// sourceColumn returns the column that most rows fit.
func sourceColumn(rows []Row) int {
	best, most := 0, 0
	for _, r := range rows {
		at, fit := len([]rune(r.Says)), 0
		for _, r := range rows {
			if r.fits(at) {
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
func (r Row) fits(column int) bool {
	return len([]rune(r.Says)) <= column && 2+column+2+len(r.Source) <= Width
}
