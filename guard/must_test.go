package guard

import (
	"strings"
	"testing"
)

// What Kubernetes shows of a report ends with a whole line.
func TestFitting(t *testing.T) {
	for _, tt := range []struct {
		text string
		most int
		want string
	}{
		{"a\nb\n", 4, "a\nb\n"},
		{"a\nb\n", 3, "a\n"},
		{"a\nb\n", 2, "a\n"},
		{"abc\n", 3, ""},
		{"", 0, ""},
	} {
		if got := string(fitting([]byte(tt.text), tt.most)); got != tt.want {
			t.Errorf("%d of %q: %q, want %q", tt.most, tt.text, got, tt.want)
		}
	}
	if got := fitting([]byte(strings.Repeat("line\n", 5000)), terminationMessage); len(got) > 4096 || len(got) < 4090 {
		t.Errorf("%d bytes", len(got))
	}
}
