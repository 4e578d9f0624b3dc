package term

import (
	"fmt"
	"strconv"
	"strings"
)

// Quote returns s as one word for a POSIX shell, zsh or fish, in printable characters
// alone, so that it can be shown on a terminal and pasted from it. Only a word that ends
// in a newline needs the $'…' of newer shells, which fish and dash lack, since a command
// substitution drops it.
func Quote(s string) string {
	switch {
	case s != "" && s[0] != '=' && strings.Trim(s, safe) == "":
		return s
	case printable(s):
		return quoted(s)
	case strings.HasSuffix(s, "\n"):
		return "$'" + escape(s, `\'`, "") + "'"
	default:
		// Inside "$( … )" quotes start anew; "-n" would be an option of printf.
		return `"$(printf '` + escape(s, "", `\'%-`) + `')"`
	}
}

// quoted puts in single quotes what is not a quote or a backslash, and a backslash before
// these two: between single quotes fish reads a backslash as sh does not.
func quoted(s string) string {
	var b strings.Builder
	for s != "" {
		n := strings.IndexAny(s, `\'`)
		if n < 0 {
			n = len(s)
		}
		if n > 0 {
			b.WriteString("'" + s[:n] + "'")
		}
		if n < len(s) {
			b.WriteString(`\` + s[n:n+1])
			n++
		}
		s = s[n:]
	}
	if b.Len() == 0 {
		return "''"
	}
	return b.String()
}

// safe are the characters that no shell reads as anything but themselves, in a word that
// does not begin with "=": zsh replaces "=ls" by the path of ls.
const safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=:,@"

// escape writes s with a backslash before each byte of slashed, and as octal
// where it is of octal or not printable.
func escape(s, slashed, octal string) string {
	var b strings.Builder
	for i, c := range s {
		if c == '\uFFFD' || !strconv.IsPrint(c) || strings.ContainsRune(octal, c) {
			// A rune that is no rune is one byte long.
			n := 1
			if r := string(c); strings.HasPrefix(s[i:], r) {
				n = len(r)
			}
			for _, x := range []byte(s[i : i+n]) {
				fmt.Fprintf(&b, `\%03o`, x)
			}
			continue
		}
		if strings.ContainsRune(slashed, c) {
			b.WriteByte('\\')
		}
		b.WriteRune(c)
	}
	return b.String()
}
