package term

import (
	"cmp"
	"os"
)

// A Terminal is what a report is written for.
type Terminal struct {
	Width  int  // columns
	Styled bool // it shows bold text and colours
}

// Plain is a file, a pipe or a log: 80 columns and no style.
var Plain = Terminal{Width: 80}

// narrowest is the least width that reports are written for.
const narrowest = 40

// Of returns the terminal that f is, or Plain if f is none. It has no style where NO_COLOR
// (no-color.org) is set or TERM is dumb.
func Of(f *os.File) Terminal {
	columns, ok := width(f)
	if !ok {
		return Plain
	}
	columns = cmp.Or(columns, Plain.Width) // a serial line does not know its width
	return Terminal{max(columns, narrowest), os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

// Bold returns text in bold, where there are styles.
func (t Terminal) Bold(text string) string { return t.Paint("\x1b[1m", text) }

// Paint returns text in a style of ECMA-48, where there are styles.
func (t Terminal) Paint(style, text string) string {
	if !t.Styled || style == "" {
		return text
	}
	return style + text + "\x1b[0m"
}
