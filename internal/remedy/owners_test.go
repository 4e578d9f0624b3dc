package remedy

import (
	"slices"
	"testing"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
)

// A file gets no capabilities if somebody other than root, the program's user and the operator
// may replace it.
func TestFixesOfOwners(t *testing.T) {
	owner := func(uid uint32) func(*facts.Facts) {
		return func(f *facts.Facts) { f.File.Installed.Stat = known(facts.Stat{Mode: 0o100755, UID: uid}) }
	}
	owners := func(uids ...uint32) func(*facts.Facts) {
		return func(f *facts.Facts) { f.File.Owners = known(uids) }
	}
	operator := func(f *facts.Facts) { f.Launcher.Operator.Value.UID = 1600 }
	inner := func(f *facts.Facts) { f.Net.UIDMap = known("0 0 1, 1000 1000 1") }
	for _, tt := range []struct {
		name    string
		changes []func(*facts.Facts)
		want    bool
	}{
		{"root", []func(*facts.Facts){owner(0)}, true},
		{"its own user", []func(*facts.Facts){owner(1000), owners(0, 1000)}, true},
		{"a third user", []func(*facts.Facts){owner(1600)}, false},
		{"a third user who is the operator", []func(*facts.Facts){owner(1600), operator}, true},
		{"a folder of a third user", []func(*facts.Facts){owner(0), owners(0, 1600)}, false},
		{"nobody", []func(*facts.Facts){owner(facts.OverflowID)}, false},
		{"somebody without an id here", []func(*facts.Facts){owner(facts.OverflowID), inner}, true},
	} {
		fixes := fixesOf(app(tt.changes...), low)
		got := slices.ContainsFunc(fixes, func(f report.Fix) bool { return f.ID == "setcap" })
		if got != tt.want {
			t.Errorf("%s: setcap %v, want %v", tt.name, got, tt.want)
		}
	}
}
