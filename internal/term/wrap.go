package term

import "strings"

// Width is the columns of a report. Commands are never broken.
const Width = 80

// Wrap writes prose, broken at spaces, later lines behind indent.
func Wrap(b *strings.Builder, text, indent string) {
	lead := text[:len(text)-len(strings.TrimLeft(text, " "))]
	b.WriteString(lead)
	column, start := len(lead), true
	for _, word := range strings.Fields(text) {
		n := len([]rune(word))
		switch {
		case start:
		case column+1+n > Width:
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
