package audit

import (
	"flag"
	"os"
	"slices"
	"testing"
)

var update = flag.Bool("update", false, "write docs/audit.md anew")

// The operator's pages say what the reports say.
func TestAuditPage(t *testing.T) {
	const page = "../../docs/audit.md"
	if *update {
		if err := os.WriteFile(page, []byte(Markdown()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != Markdown() {
		t.Error("docs/audit.md is not current: go test ./internal/audit -run TestAuditPage -update")
	}
	for id, e := range catalogue {
		if e.severities == "" || e.means == "" || e.see == "" || e.helps == "" || !slices.Contains(sections, id) {
			t.Errorf("%s: something is left out", id)
		}
	}
	if len(sections) != len(catalogue) {
		t.Errorf("%d sections of %d findings", len(sections), len(catalogue))
	}
}
