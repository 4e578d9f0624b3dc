package term

import "testing"

// A space other than the common one would look as that one, and be lost where prose is
// broken into lines.
func TestShow(t *testing.T) {
	for s, want := range map[string]string{
		"":               "",
		"/srv/a b/é":     "/srv/a b/é",
		"a\u00a0b":       `"a\u00a0b"`,
		"/srv/a\u3000b":  `"/srv/a\u3000b"`,
		"a\u202eb":       `"a\u202eb"`,
		"\x1b[31m\xff\n": `"\x1b[31m\xff\n"`,
	} {
		if got := Show(s); got != want {
			t.Errorf("%q: %q, not %q", s, got, want)
		}
	}
}
