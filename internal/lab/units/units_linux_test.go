package units

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/lowport/lowport/internal/figures"
	"github.com/lowport/lowport/internal/needs"
)

// What a preflight says of some random units is what systemd then does. LOWPORT_UNITS
// says how many; the numbers of a seed that went wrong are tried again with
// "go run ./internal/lab/units/roll -seed SEED -from NUMBER -n 1 -v".
func TestUnits(t *testing.T) {
	needs.Root(t, "nsenter", "systemctl", "setpriv", "gosu", "chpst", "s6-setuidgid", "tini", "dumb-init", "catatonit", "numactl")
	n := 40
	if s := os.Getenv("LOWPORT_UNITS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	machine, err := Boot("/")
	if err != nil {
		needs.Lack(t, fmt.Sprintf("namespaces, overlayfs and cgroups as root has them on a machine of its own: %v", err))
	}
	defer machine.Close()
	seed := needs.Seed(t)
	sums, err := machine.Run(seed, 0, n, func(v Verdict) {
		switch {
		case v.Wrong == "" && len(v.Unfixed) == 0:
		case v.Predicted.Kind == Refused && v.Came.Kind == Refused && len(v.Unfixed) == 0: // which of the two names the cause is not known here
			t.Logf("seed %d, %s", seed, v)
		default:
			t.Errorf("seed %d, %s", seed, v)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	figures.Add(t, fmt.Sprintf("random units, seed %d: %s", seed, sums))
}

// Each draw is the same one for the same number, and of a unit that is a unit.
func TestDraw(t *testing.T) {
	seen := map[string]bool{}
	for i := range 500 {
		a, b := New(7, i), New(7, i)
		if a.Text() != b.Text() || a.Files[a.File] == "" {
			t.Fatalf("%d: %s\n%s", i, a.Text(), b.Text())
		}
		seen[a.Text()] = true
	}
	if len(seen) != 500 {
		t.Errorf("%d different draws of 500", len(seen))
	}
}

// A prediction is wrong where it promises what does not come, refuses what does, or tells
// another story.
func TestJudge(t *testing.T) {
	bound, taken := End{Kind: ByItself}, End{Kind: Refused, Cause: "address-in-use"}
	for _, tt := range []struct {
		predicted, came End
		want            string
	}{
		{bound, bound, ""},
		{bound, taken, "false pass"},
		{taken, bound, "false refusal"},
		{taken, End{Kind: Refused, Cause: "no-capability"}, "other story"},
		{bound, End{Kind: BySocket}, "other story"},
		{End{Kind: NotStarted}, taken, "other story"},
		{End{Kind: NotStarted}, End{Kind: Refused, Cause: "killed"}, ""},
		{bound, End{Kind: Refused, Cause: "killed"}, "false pass"},
		{End{Kind: CouldNotSay}, bound, ""},
	} {
		v := Judge(Draw{}, tt.predicted, tt.came)
		if v.Wrong != tt.want {
			t.Errorf("%v, %v: %q, want %q", tt.predicted, tt.came, v.Wrong, tt.want)
		}
		var sums Sums
		sums.Add(v)
		if (sums.Wrong() == 1) != (tt.want != "") || sums.All != 1 {
			t.Errorf("%v: %v", v, sums)
		}
	}
}
