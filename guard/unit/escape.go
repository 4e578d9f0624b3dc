package unit

import "strings"

// text writes a value that systemd takes as it is, but for specifiers: "%" is
// written "%%". [checkText] says which values it can be.
func text(s string) string { return strings.ReplaceAll(s, "%", "%%") }

// quote writes one word of a value that systemd splits into words. Inside the
// quotes a backslash makes the next character mean itself, with and without the
// C escapes that some directives know (extract_first_word).
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%").Replace(s) + `"`
}

// plain are the characters that mean themselves in a word without quotes, at
// its beginning too.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=:,@"

func word(s string) string {
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return quote(s)
}

// command writes a command line. Where it has a "$" the line begins with ":",
// which turns variables off: doubling the "$" would be undone in arguments and
// kept in the program's path.
func command(argv []string) string {
	var b strings.Builder
	for i, arg := range argv {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(word(arg))
	}
	if strings.Contains(b.String(), "$") {
		return ":" + b.String()
	}
	return b.String()
}
