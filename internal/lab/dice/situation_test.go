package dice

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// A situation is what its text says, and none that is drawn is another when it is read again.
func TestParseSituation(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		s := Draw(r, []string{"shell", "unit", "container"}[r.IntN(3)])
		again, err := ParseSituation(s.String())
		if err != nil || again.String() != s.String() {
			t.Errorf("%q, %v: %q", s, err, again)
		}
	}
	for _, text := range []string{"file", "file=none mount", "file=sometimes", "nothing=none"} {
		if s, err := ParseSituation(text); err == nil {
			t.Errorf("%q: %q", text, s)
		}
	}
}

// Every value of every knob is drawn.
func TestDraw(t *testing.T) {
	drawn := make(map[string]bool)
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		for name, value := range Draw(r, []string{"shell", "unit", "container"}[r.IntN(3)]) {
			drawn[name+"="+value] = true
		}
	}
	for _, k := range Knobs {
		for _, v := range k.Values[1:] {
			if !drawn[k.Name+"="+v] {
				t.Errorf("%s=%s is never drawn", k.Name, v)
			}
		}
	}
}

// Each value of a knob but the harmless one changes how some situation is made.
func TestPlan(t *testing.T) {
	for _, k := range Knobs {
		for _, v := range k.Values[1:] {
			same := true
			for _, s := range []Situation{{}, {"ask": "require"}, {"by": "unit"}, {"by": "container"}} {
				same = same && reflect.DeepEqual(s.with(k.Name, v).plan(), s.plan())
			}
			if same {
				t.Errorf("%s=%s changes nothing", k.Name, v)
			}
		}
	}
}

// What a cause stands for are knobs.
func TestCauses(t *testing.T) {
	for id, c := range causes {
		unit := Situation{"by": "unit"}
		for _, way := range append(c.ways(unit), c.blames(unit)) {
			for _, turn := range way {
				name, _, _ := strings.Cut(turn, "=")
				if _, ok := knob(name); !ok {
					t.Errorf("%s: %q is no knob", id, name)
				}
				if !slices.Contains(c.blames(unit), name) {
					t.Errorf("%s: %q is taken away, and not blamed", id, name)
				}
			}
		}
	}
}
