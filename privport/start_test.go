package privport

import "testing"

func TestParseStart(t *testing.T) {
	for line, want := range map[string]int{"1024\n": 1024, "0\n": 0, "65536\n": 65536} {
		if got, err := parseStart(line); got != want || err != nil {
			t.Errorf("%q: %d, %v", line, got, err)
		}
	}
	for _, line := range []string{"", "\n", "102", "65537\n", "-1\n", "+1\n", "1024 1\n", "1024\n\n", " 1024\n", "0x1\n"} {
		if got, err := parseStart(line); got != 0 || err == nil {
			t.Errorf("%q: %d, %v", line, got, err)
		}
	}
}
