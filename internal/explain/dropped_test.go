package explain

import (
	"syscall"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/rules"
)

// Root that has dropped everything has an empty bounding set, as one that was started
// without: what the drop found tells them apart. Started again it is root once more.
func TestDropped(t *testing.T) {
	known := func(f *facts.Facts, dropped caps.Set) {
		f.Proc.Dropped = f.Proc.Dropped.Now(dropped)
	}
	var none facts.Facts
	none.Proc.Thread = none.Proc.Thread.Now(caps.State{NoNewPrivs: true})
	none.Proc.Threads = none.Proc.Threads.Now(map[int]caps.State{1: none.Proc.Thread.Value})
	none.Net.PortStart = none.Net.PortStart.Now(1024)
	none.Net.Owner = none.Net.Owner.Now(facts.OwnerHere)
	none.Policy.Withheld = none.Policy.Withheld.Now(0)
	none.File.Exe.Caps = none.File.Exe.Caps.None()
	none.Proc.GainedOrChangedUser = none.Proc.GainedOrChangedUser.Now(false)
	none.File.Deleted = none.File.Deleted.Now(false)

	all, other, kept := none, none, none
	known(&all, caps.UpTo(40))
	known(&other, caps.SetOf(caps.NET_RAW))
	known(&kept, caps.SetOf(caps.NET_BIND_SERVICE))
	kept.Proc.Thread.Value.Permitted = caps.SetOf(caps.NET_BIND_SERVICE)
	g := rules.Goal{Network: "tcp", Port: 443}
	for name, tt := range map[string]struct {
		facts facts.Facts
		cause string
	}{
		"nothing noted":        {none, "bounding-excludes"},
		"all dropped":          {all, "let-go"},
		"another dropped":      {other, "bounding-excludes"},
		"kept, and not raised": {kept, "not-raised"},
		"started again":        {rules.Start(all), "unknown"},
	} {
		if c := Bind(tt.facts, g, syscall.EACCES).Causes[0]; c.ID != tt.cause || c.ID == "let-go" && c.Certainty != report.Proven {
			t.Errorf("%s: %s (%s), not %s", name, c.ID, c.Certainty, tt.cause)
		}
	}
}
