package kernel

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What several have in common is said once, and doubt in one is doubt in all.
func TestJoin(t *testing.T) {
	nobody := Cause{ID: "no-capability", Certainty: Proven, Summary: "never granted"}
	taken := func(port string) Cause {
		return Cause{ID: "address-in-use", Certainty: Proven, Summary: "port " + port}
	}
	cap := Evidence{Name: "CapEff", Value: "0"}
	got := Join(
		Finding{Causes: []Cause{nobody, taken("80")}, Evidence: []Evidence{cap}, Unhelpful: []string{"root"}},
		Finding{Causes: []Cause{nobody}, Evidence: []Evidence{cap}},
		Finding{Causes: []Cause{taken("443")}, Evidence: []Evidence{{Name: "socket", Value: "x"}}, Unhelpful: []string{"root", "setcap"}},
	)
	want := Finding{
		Causes:    []Cause{nobody, taken("80"), taken("443")},
		Evidence:  []Evidence{cap, {Name: "socket", Value: "x"}},
		Unhelpful: []string{"root", "setcap"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
