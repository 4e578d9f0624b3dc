package launch

import (
	"strings"
	"testing"
)

// The words of a simple command of sh(1), joined by "|"; no words where it is more than that.
func TestShellWords(t *testing.T) {
	for line, want := range map[string]string{
		`a b	c`: "a|b|c", ` a  b `: "a|b", `a 'b;c' "d|e"`: "a|b;c|d|e", `a\ b c`: "a b|c", `a "b\"c"`: `a|b"c`, `a 'b\c'`: `a|b\c`, `a "" ''`: "a||",
		`a $b`: "a|$b", `a "$b"`: "a|$b", `a '$b'`: "a|$b", `a#b`: "a#b", `a~ b{ c!`: "a~|b{|c!", `"a"'b'c`: "abc", ``: "",
		`a | b`: "no", `a ; b`: "no", `a & b`: "no", `a < b`: "no", "a `b`": "no", "a \"`b`\"": "no", `a $(b)`: "no", `a "$(b)"`: "no", `a $`: "no", `a *`: "no", `a \`: "no",
		`a # b`: "no", `~/a`: "no", `{ a`: "no", `! a`: "no", `'a`: "no", `"a`: "no", "a\nb": "no",
	} {
		words, ok := shellWords(line)
		got := strings.ReplaceAll(strings.Join(words, "|"), mark, "$")
		if !ok {
			got = "no"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	if words, _ := shellWords("a '$b'"); unexpanded(words[1]) {
		t.Error("in single quotes nothing is put in")
	}
}

// A name that the shell assigns to: letters, digits and underscores, and no digit in front.
func TestIsName(t *testing.T) {
	for _, name := range []string{"a", "z", "A", "Z", "_", "a0", "a9", "_1", "PATH", "aZ_9"} {
		if !isName(name) {
			t.Errorf("%q is no name", name)
		}
	}
	for _, name := range []string{"", "0a", "9", "a-b", "a{", "a`", "a@", "a[", "a/", "a:", "ä"} {
		if isName(name) {
			t.Errorf("%q is a name", name)
		}
	}
}

// Words of a value as extract_first_word() takes them, with the escapes of cunescape_one().
func TestSplit(t *testing.T) {
	for value, want := range map[string]string{
		`a  b`: "a|b", `"a b" 'c d'`: "a b|c d", `a"b c"d`: "ab cd", `"a`: "a", `''`: "", `a\x41b c`: "aAb|c", `\101b`: "Ab", `a\012b`: "a\nb", `a\nb\tc\sd`: "a\nb\tc d",
		`a\"b`: `a"b`, `"a\"b"`: `a"b`, `a\\b`: `a\b`, `a\x4`: "ax4", `a\xzz`: "axzz", `a\10`: "a10", `a\777b`: "a777b", `a\801`: "a801", `a\ä b`: "aä|b", `a\ b`: "a b",
	} {
		if got := strings.Join(split(value), "|"); got != want {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
}

// Specifiers and escapes of unit names (systemd.unit(5)).
func TestExpand(t *testing.T) {
	for _, tt := range []struct{ unit, text, want string }{
		{"my-app.service", "%n %N %p %j 100%% %", "my-app.service my-app my-app app 100% %"},
		{"my-app.service", "%i|%f|%P|%J|%", "|/my/app|my/app|app|%"},
		{`a@b-c\x2dd.service`, "%i %I %f", `b-c\x2dd b/c-d /b/c-d`},
		{`a@\x2.service`, "%I", `\x2`},
		{`a@b\x2d.service`, "%I", "b-"},
		{`a@\xzz.service`, "%I", `\xzz`},
		{`a@-b.service`, "%f", "/b"},
		{"a@.service", "%p", "a"},
		{"a@.service", "%i", "error"},
		{"a.service", "%H", "error"},
		{"a.service", "%a", "error"},
		{"a.service", "%z", "error"},
		{"a.service", "%- %é", "%- %é"},
		{"a.service", "%t/x", "/run/x"},
	} {
		got, err := (&Unit{Name: tt.unit}).expand(tt.text)
		if err != nil {
			got = "error"
		}
		if got != tt.want {
			t.Errorf("%s: %s: %q, want %q", tt.unit, tt.text, got, tt.want)
		}
	}
}

// A specifier that stands for nothing leaves no folder.
func TestEmptyWorkingDirectory(t *testing.T) {
	if _, err := Read(disk("-- srv/app.service --\n[Service]\nExecStart=/srv/app\nWorkingDirectory=%i\n"), "/srv/app.service"); err == nil {
		t.Error("an empty folder was read")
	}
}

// The marks before a command exclude each other (systemd.service(5), config_parse_exec).
func TestMarks(t *testing.T) {
	for line, want := range map[string]string{
		"/srv/app": "", "-/srv/app": "-", "+/srv/app": "+", "!/srv/app": "!", "!!/srv/app": "!!", "!!-/srv/app": "!!-", "+-/srv/app": "+-", "-@:+/srv/app x": "-@:+",
		"!!!/srv/app": "error", "+!/srv/app": "error", "!+/srv/app": "error", "++/srv/app": "error", "::/srv/app": "error", "-+-/srv/app": "error",
		"@/srv/app": "error", "srv/app": "error", "/srv/": "error", "+": "error",
	} {
		c, err := (&Unit{Name: "a.service"}).command(split(line))
		got := c.Marks
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	if c, err := (&Unit{Name: "a.service"}).command(split("@/srv/app web -v")); err != nil || c.Program != "/srv/app" || strings.Join(c.Argv, " ") != "/srv/app -v" {
		t.Errorf("behind @: %+v, %v", c, err)
	}
}

// A lone semicolon ends a command, and one at the end begins none.
func TestCommandLines(t *testing.T) {
	for value, want := range map[string]int{"/a": 1, "/a ;": 1, "/a ; /b": 2, "/a ; /b -c ;": 2, "/a ';'": 1, "; /a": 2, "": 1} {
		if got := commandLines(value); len(got) != want {
			t.Errorf("%s: %q, want %d", value, got, want)
		}
	}
}

// Of several commands the one of the program is meant, or the first that does something.
func TestMainCommand(t *testing.T) {
	for _, tt := range []struct{ exec, program, want, doubt string }{
		{"/srv/app", "", "/srv/app", ""},
		{"/srv/app", "/srv/other", "/srv/app", ""},
		{"/srv/a ; /srv/b", "/srv/b", "/srv/b", ""},
		{"/srv/a ; /srv/b", "/srv/none", "/srv/a", ""},
		{"/srv/a ; /srv/b", "", "/srv/a", "doubt"},
		{"/srv/a -x ; /srv/a -y", "", "/srv/a", ""},
		{"/bin/true ; /srv/b", "", "/srv/b", ""},
		{"/bin/true ; /srv/b", "/bin/true", "/bin/true", ""},
		{"-/bin/false ; /srv/b", "", "/srv/b", ""},
		{"/bin/false ; /srv/b", "", "/bin/false", "doubt"},
		{"/bin/true ; /bin/true", "", "/bin/true", ""},
	} {
		u := read(t, "Type=oneshot\nExecStart=\nExecStart="+tt.exec)
		u.doubts = nil
		c, err := u.Main(tt.program)
		if got := map[bool]string{true: "doubt"}[len(u.doubts) > 0]; err != nil || c.Program != tt.want || got != tt.doubt {
			t.Errorf("%s for %q: %s, %q, %v; want %s, %q", tt.exec, tt.program, c.Program, got, err, tt.want, tt.doubt)
		}
	}
	if _, err := read(t, "ExecStart=/srv/b").Main(""); err == nil {
		t.Error("two commands of a service that is not oneshot")
	}
}
