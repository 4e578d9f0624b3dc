package facts_test

import (
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/facts"
)

// A directive is set if the last that is said of it is not empty.
func TestFiltersIn(t *testing.T) {
	const both = "RestrictAddressFamilies SystemCallFilter"
	for _, tt := range []struct {
		files []string
		want  string
	}{
		{[]string{"[Service]\nExecStart=/srv/app\n"}, ""},
		{[]string{"[Service]\nSystemCallFilter=~bind\nRestrictAddressFamilies = AF_INET\n"}, both},
		{[]string{"[Service]\nSystemCallFilter=~bind\n", "[Service]\nSystemCallFilter=\n"}, ""},
		{[]string{"[Service]\nSystemCallFilter=\n", "[Service]\nSystemCallFilter=bind\n"}, "SystemCallFilter"},
		{[]string{"[Service]\n#SystemCallFilter=~bind\n; SystemCallFilter=~bind\n"}, ""},
		{[]string{"[Unit]\nSystemCallFilter=~bind\n[X-Service]\nSystemCallFilter=~bind\n"}, ""},
		{[]string{"[Service]\nEnvironment=A=b \\\nSystemCallFilter=~bind\n"}, ""},
		{[]string{"[Service]\nSystemCallFilter=\\\n~bind\n"}, "SystemCallFilter"},
		{[]string{"[Service]\nRestart=on-failure\n"}, "Restart"},
		{[]string{"[Service]\nRestart=always\n", "[Service]\nRestart=no\n"}, ""},
		{[]string{"[Unit]\nRestart=always\n"}, ""},
	} {
		if got := strings.Join(facts.FiltersIn(tt.files...), " "); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.files, got, tt.want)
		}
	}
}
