package caps

import (
	"fmt"
	"testing"
)

// A text is written with one allocation, the string itself, or with none.
func TestStringAllocations(t *testing.T) {
	s := State{Permitted: UpTo(Last), Effective: SetOf(NET_RAW), Inheritable: SetOf(NET_BIND_SERVICE), Ambient: SetOf(NET_BIND_SERVICE), Bounding: UpTo(Last)}
	for name, f := range map[string]fmt.Stringer{
		"Set": s.Bounding, "Set of one": s.Ambient, "Cap": NET_RAW, "IAB": s.IAB(Last), "File": File{Permitted: s.Effective, Effective: true},
	} {
		if n := testing.AllocsPerRun(100, func() { _ = f.String() }); n > 1 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	for name, f := range map[string]func() string{
		"FormatText": func() string { return FormatText(s) }, "Hex": s.Bounding.Hex, "Decode": s.Bounding.Decode,
	} {
		if n := testing.AllocsPerRun(100, func() { _ = f() }); n > 1 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
