package main

import "os"

// A terminal is what the tables are written for.
type terminal struct {
	columns int
	colour  bool
}

// standardOutput is 80 columns without colour, unless a terminal shows it: then
// it is as wide as that, and in colour but where NO_COLOR (no-color.org) or
// TERM=dumb says not to.
func standardOutput() terminal {
	columns, ok := width(os.Stdout)
	if !ok {
		return terminal{columns: 80}
	}
	if columns == 0 {
		columns = 80 // a terminal that does not know, as a serial line
	}
	return terminal{columns, os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

const (
	red   = "\x1b[31m"
	green = "\x1b[32m"
)

// paint gives text a colour, where there are colours.
func (t terminal) paint(colour, text string) string {
	if !t.colour || colour == "" {
		return text
	}
	return colour + text + "\x1b[0m"
}

// cut is text in at most so many columns.
func cut(text string, columns int) string {
	if r := []rune(text); len(r) > columns {
		return string(r[:max(columns-1, 0)]) + "…"
	}
	return text
}
