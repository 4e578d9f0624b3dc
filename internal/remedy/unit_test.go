package remedy

import (
	"testing"

	"github.com/lowport/lowport/internal/facts"
)

func TestUnitUser(t *testing.T) {
	with := func(f facts.Facts, changes ...func(*facts.Facts)) facts.Facts {
		for _, change := range changes {
			change(&f)
		}
		return f
	}
	user := func(f *facts.Facts) { f.Proc.IDs = known(facts.IDs{UID: 1000, EUID: 1000}) }
	named := func(f *facts.Facts) { f.Launcher.UserNamed = known(true) }
	below := func(init bool) func(*facts.Facts) {
		return func(f *facts.Facts) { f.Launcher.Ancestor = known(facts.Ancestor{Init: init}) }
	}
	for _, tt := range []struct {
		name string
		f    facts.Facts
		want bool
	}{
		{"root", with(facts.Facts{}, func(f *facts.Facts) { f.Proc.IDs = known(facts.IDs{}) }, below(true)), true},
		{"User=", with(facts.Facts{}, user, named, below(true)), true},
		{"it changed itself", with(facts.Facts{}, user, below(true)), false},
		{"a supervisor changed it", with(facts.Facts{}, user, named, below(false)), false},
		{"ancestors are hidden", with(facts.Facts{}, user, named), true},
		{"nothing is known", facts.Facts{}, false},
		{"predicted", with(facts.Facts{}, user, func(f *facts.Facts) { f.Launch.Planned = true }), true},
	} {
		if got := unitUser(&tt.f); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
