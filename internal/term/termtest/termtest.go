// Package termtest has strings that tests print and quote.
package termtest

// Hostile are strings that a terminal or a shell takes for more than text.
var Hostile = []string{
	"", " ", "-", "-n", "-n\x01", "--", "a b", "'", `'\''`, `"`, `\`, `\\`, "\\\x01", "`id`", "$(id)", "${IFS}", "$HOME", "a;id", "a|id", "a&", "a>b",
	"*", "?", "[a]", "~", "~root", "#x", "!x", "!!\x01", "'!\x01", "a=b", "=x", "=ls", "==", `a\'b`, `a\`, `a\\b'`, `\n`, "'!x", `\'!x`, "{a,b}", "\n", "a\nb", "a\n", "\n\n", "a'\n", "\r", "\t", "\x1b[31m", "\x7f", "\u009b31m",
	"%", "%s%n\x01", "\x01%s", "\x01'", "\xff", "\xff\xfe'", "a\xff1", "\x017", "\u202e", "\ufffd", "\u200b\n", "ünï", "日本", "\U000e0001", "/srv/my app/it's \x1b[2J$(reboot)\n",
}
