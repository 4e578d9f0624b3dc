package explain

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/rules"
)

var update = flag.Bool("update", false, "write docs anew")

// The operator's pages say what the reports say and draw what the rules follow.
func TestCausesPage(t *testing.T) {
	for page, want := range map[string]string{"causes.md": Markdown(), "decision.svg": Picture()} {
		page = "../../docs/" + page
		if *update {
			if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		have, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if string(have) != want {
			t.Errorf("%s is not current: go test ./internal/explain -run TestCausesPage -update", page)
		}
	}
	for id, e := range catalogue {
		if e.summary == "" || e.detail == "" || e.see == "" || e.helps == "" {
			t.Errorf("%s: something is left out", id)
		}
		for gate := range strings.FieldsSeq(e.gate) {
			if !slices.ContainsFunc(rules.Path, func(g rules.Gate) bool { return g.Name == gate }) {
				t.Errorf("%s: no gate %q", id, gate)
			}
		}
	}
}
