package kernel

import (
	"flag"
	"os"
	"slices"
	"testing"
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
			t.Errorf("%s is not current: go test ./internal/kernel -run TestCausesPage -update", page)
		}
	}
	gated := []string{"host-unresolved", "control-refused"} // before all gates
	for _, gate := range Gates {
		for _, id := range gate.Causes {
			if gated = append(gated, id); find(id).id != id || find(id).summary == "" {
				t.Errorf("the gate %s has a cause without words: %s", gate.Name, id)
			}
		}
	}
	for _, e := range catalogue {
		if e.summary == "" || e.detail == "" || e.see == "" || e.helps == "" {
			t.Errorf("%s: something is left out", e.id)
		}
		if !slices.Contains(gated, e.id) {
			t.Errorf("%s: no gate has it", e.id)
		}
	}
}
