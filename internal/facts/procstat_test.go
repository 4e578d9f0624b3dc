package facts_test

import (
	"slices"
	"testing"

	"github.com/lowport/lowport/internal/facts"
)

// The name ends with the last bracket, whatever it holds.
func TestStatWords(t *testing.T) {
	for stat, want := range map[string][]string{
		"7 (app) S 1 7 7\n":         {"S", "1", "7", "7"},
		"7 (a) R 0 0) S 1 7 7\n":    {"S", "1", "7", "7"},
		"7 (a b\n) S 1 (x) R 2 0\n": {"R", "2", "0"},
		"7 (app) ":                  {},
		"7 (app)":                   nil,
		"7 (app S 1 7 7\n":          nil,
		"":                          nil,
	} {
		if got := facts.StatWords([]byte(stat)); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", stat, got, want)
		}
	}
}
