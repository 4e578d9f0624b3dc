// Package diff shows in a test what differs.
package diff

import (
	"fmt"
	"reflect"
	"strings"
)

// Of returns "" if want and got are deeply equal. Otherwise it returns both; of two
// texts, the lines from the first to the last that differ.
func Of(want, got any) string {
	if reflect.DeepEqual(want, got) {
		return ""
	}
	before, isText := want.(string)
	after, isTextToo := got.(string)
	if !isText || !isTextToo {
		return fmt.Sprintf("- %+v\n+ %+v\n", want, got)
	}
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	var text strings.Builder
	for _, line := range a {
		text.WriteString("- " + line + "\n")
	}
	for _, line := range b {
		text.WriteString("+ " + line + "\n")
	}
	return text.String()
}
