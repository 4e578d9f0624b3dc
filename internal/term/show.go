// Package term makes text fit for a terminal: printable, in columns, in a shell's words.
package term

import "strconv"

// Show makes a string from the machine fit to print: as it is where every
// character is printable, else quoted with escapes, so that no path or name can
// reach the terminal with a control byte.
func Show(s string) string {
	if printable(s) {
		return s
	}
	return strconv.Quote(s)
}

func printable(s string) bool {
	for _, c := range s {
		if c == '\uFFFD' || !strconv.IsPrint(c) {
			return false
		}
	}
	return true
}
