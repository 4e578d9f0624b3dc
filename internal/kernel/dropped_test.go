package kernel

import (
	"syscall"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
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
	none.Proc.Secure, none.Proc.Dumpable = none.Proc.Secure.Now(false), none.Proc.Dumpable.Now(1)
	none.File.Deleted = none.File.Deleted.Now(false)

	all, other := none, none
	known(&all, caps.UpTo(40))
	known(&other, caps.SetOf(caps.NET_RAW))
	g := Goal{Network: "tcp", Port: 443, Raises: true}
	for name, tt := range map[string]struct {
		facts facts.Facts
		cause string
	}{
		"nothing noted":   {none, "bounding-excludes"},
		"all dropped":     {all, "let-go"},
		"another dropped": {other, "bounding-excludes"},
		"started again":   {Plan(all), "unknown"},
	} {
		if c := bindRefused(tt.facts, g, syscall.EACCES).Causes[0]; c.ID != tt.cause || c.ID == "let-go" && c.Certainty != report.Proven {
			t.Errorf("%s: %s (%s), not %s", name, c.ID, c.Certainty, tt.cause)
		}
	}
}
