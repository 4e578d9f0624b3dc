package caps

import (
	"fmt"
	"strings"
)

// A ParseError says what is wrong with a text, where, and which names may have
// been meant.
type ParseError struct {
	Form    string // what was being read, such as "cap_text"
	Text    string // the whole text
	Offset  int    // where in it, in bytes from 0
	Problem string // what is wrong there
	Nearest []Cap  // for a name that does not exist: the nearest that do
}

// Error quotes the text, or what surrounds the place if the text is long.
func (e *ParseError) Error() string {
	var b strings.Builder
	from, to := max(0, min(e.Offset-40, len(e.Text))), min(len(e.Text), e.Offset+60)
	fmt.Fprintf(&b, "%s %q: byte %d: %s", e.Form, e.Text[from:to], e.Offset, e.Problem)
	for i, c := range e.Nearest {
		sep := " or "
		if i == 0 {
			sep = "; nearest is "
		}
		b.WriteString(sep + c.String())
	}
	return b.String()
}

func noSuchName(form, text string, offset int, name string) error {
	problem := fmt.Sprintf("no capability is named %q", name[:min(len(name), 60)])
	if name == "" {
		problem = "the name of a capability is missing"
	}
	return &ParseError{Form: form, Text: text, Offset: offset, Problem: problem, Nearest: nearest(name)}
}

func bad(form, text string, offset int, problem string) error {
	return &ParseError{Form: form, Text: text, Offset: offset, Problem: problem}
}
