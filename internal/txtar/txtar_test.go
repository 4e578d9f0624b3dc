package txtar

import (
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/diff"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{"only\na comment", "only\na comment\n"},
		{"a\n-- one --\nx\ny\n-- two --\n", "a\n|one:x\ny\n|two:"},
		{"-- one --\nno end", "|one:no end\n"},
		{"-- one --\r\nx\r\n", "|one:x\r\n"},
		{"--  spaced  name  --\nx\n", "|spaced  name:x\n"},
		{"-- --\n----\n--  --\n --a --\n-- a--\n--a --\n- -- a --\n", "-- --\n----\n--  --\n --a --\n-- a--\n--a --\n- -- a --\n"},
		{"-- a --", "|a:"},
	} {
		a := Parse([]byte(tt.text))
		got := string(a.Comment)
		for _, f := range a.Files {
			got += "|" + f.Name + ":" + string(f.Data)
		}
		if d := diff.Of(tt.want, got); d != "" {
			t.Errorf("%q:\n%s", tt.text, d)
		}
	}
}

// Any text is an archive, and formatted and parsed again it is the same.
func FuzzParse(f *testing.F) {
	f.Add([]byte("a\n-- b --\nc\n-- d --\n"))
	f.Add([]byte("-- b --\r\n-- d"))
	f.Fuzz(func(t *testing.T, text []byte) {
		before := string(text)
		a := Parse(text)
		formatted := Format(a)
		if d := diff.Of(a.Files, Parse(formatted).Files); d != "" {
			t.Errorf("%q:\n%s", text, d)
		}
		if string(text) != before {
			t.Errorf("%q became %q", before, text)
		}
		for _, file := range a.Files {
			if file.Name == "" || strings.TrimSpace(file.Name) != file.Name {
				t.Errorf("%q: a file named %q", text, file.Name)
			}
		}
	})
}
