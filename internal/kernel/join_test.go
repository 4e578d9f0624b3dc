package kernel

import (
	"testing"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/diff"
)

// What several have in common is said once, and doubt in one is doubt in all.
func TestJoin(t *testing.T) {
	nobody := report.Cause{ID: "no-capability", Certainty: report.Proven, Summary: "never granted"}
	taken := func(port string) report.Cause {
		return report.Cause{ID: "address-in-use", Certainty: report.Proven, Summary: "port " + port}
	}
	cap := report.Fact{Name: "CapEff", Value: "0"}
	got := Join(
		Finding{Causes: []report.Cause{nobody, taken("80")}, Evidence: []report.Fact{cap}, Unhelpful: []string{"root"}},
		Finding{Causes: []report.Cause{nobody}, Evidence: []report.Fact{cap}},
		Finding{Causes: []report.Cause{taken("443")}, Evidence: []report.Fact{{Name: "socket", Value: "x"}}, Unhelpful: []string{"root", "setcap"}},
	)
	want := Finding{
		Causes:    []report.Cause{nobody, taken("80"), taken("443")},
		Evidence:  []report.Fact{cap, {Name: "socket", Value: "x"}},
		Unhelpful: []string{"root", "setcap"},
	}
	if diff := diff.Of(want, got); diff != "" {
		t.Error(diff)
	}
}
