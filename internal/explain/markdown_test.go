package explain

import (
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write docs/causes.md anew")

// The operator's pages say what the reports say.
func TestCausesPage(t *testing.T) {
	const page = "../../docs/causes.md"
	if *update {
		if err := os.MkdirAll("../../docs", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(page, []byte(Markdown()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != Markdown() {
		t.Error("docs/causes.md is not current: go test ./internal/explain -run TestCausesPage -update")
	}
	for id, e := range catalogue {
		if e.summary == "" || e.detail == "" || e.see == "" || e.helps == "" {
			t.Errorf("%s: something is left out", id)
		}
	}
}
