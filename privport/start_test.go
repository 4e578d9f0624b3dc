package privport

import (
	"testing"

	"github.com/lowport/lowport/internal/machine"
)

// Who owns the network is not "we" where that cannot be read.
func TestOwn(t *testing.T) {
	for _, c := range []struct {
		f    machine.Fact[machine.Owner]
		want bool
	}{
		{machine.Fact[machine.Owner]{Value: machine.OwnerHere, State: machine.Known}, true},
		{machine.Fact[machine.Owner]{Value: machine.OwnerBelow, State: machine.Known}, true},
		{machine.Fact[machine.Owner]{Value: machine.OwnerOutside, State: machine.Known}, false},
		{machine.Fact[machine.Owner]{Reason: "EACCES"}, false},
	} {
		if got, err := own(c.f); got != c.want || (err == nil) != (c.f.State == machine.Known) {
			t.Errorf("%+v: %t, %v", c.f, got, err)
		}
	}
}
