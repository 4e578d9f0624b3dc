package term

import "strings"

// Wrap writes prose, broken at spaces, later lines behind indent. Commands are never broken.
func (t Terminal) Wrap(b *strings.Builder, text, indent string) {
	lead := text[:len(text)-len(strings.TrimLeft(text, " "))]
	b.WriteString(lead)
	column, start := len(lead), true
	for _, word := range strings.Fields(text) {
		n := len([]rune(word))
		switch {
		case start:
		case column+1+n > t.Width:
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
