package term

import (
	"fmt"
	"strconv"
	"strings"
)

// Quote returns s as one word for a POSIX shell, in printable characters alone,
// so that it can be shown on a terminal and pasted from it. Only a word that
// ends in a newline needs the $'…' of newer shells, since a command
// substitution drops it.
func Quote(s string) string {
	switch {
	case s != "" && strings.Trim(s, safe) == "":
		return s
	case printable(s):
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	case strings.HasSuffix(s, "\n"):
		return "$'" + escape(s, `\'`, "") + "'"
	default:
		// Inside "$( … )" quotes start anew; "-n" would be an option of printf.
		return `"$(printf '` + escape(s, `\`, "'%-") + `')"`
	}
}

// safe are the characters that no shell reads as anything but themselves.
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
