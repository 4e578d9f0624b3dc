package declare

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
)

// Aliases that repeat without end are refused in each file of YAML, and those of usual files are not.
func TestAliases(t *testing.T) {
	bomb := "x-0: &a0 [a, a, a, a, a, a, a, a, a]\n"
	for i := range 10 {
		bomb += fmt.Sprintf("x-%d: &a%d [%s*a%d]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d, ", i), 8), i)
	}
	const compose = "services:\n  a: {image: a}\n"
	usual := "x-a: &a {image: a, labels: [b, c]}\nservices:\n"
	for i := range 500 {
		usual += fmt.Sprintf("  s%d:\n    <<: *a\n    user: \"5\"\n", i)
	}
	for _, tt := range []struct{ name, content, other, want string }{
		{"compose.yaml", bomb + compose, "", "compose.yaml: line "},
		{"compose.yaml", "include: [other.yaml]\n", bomb + compose, "repeat more than"},
		{"compose.yaml", "services:\n  a: {extends: {file: other.yaml, service: a}}\n", bomb + compose, "repeat more than"},
		{"compose.yaml", "x-a: &a [*a]\n" + compose, "", "contains itself"},
		{"a.yaml", bomb + "apiVersion: v1\nkind: Pod\n", "", "repeat more than"},
		{"compose.yaml", usual, "", ""},
	} {
		o := Options{ReadFile: func(name string) ([]byte, error) {
			if !strings.HasSuffix(name, "other.yaml") || tt.other == "" {
				return nil, fs.ErrNotExist
			}
			return []byte(tt.other), nil
		}}
		_, err := Read([]File{{tt.name, []byte(tt.content)}}, o)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, want %q", err, tt.want)
		}
	}
}
