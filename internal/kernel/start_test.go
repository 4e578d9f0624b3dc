package kernel

import (
	"strings"
	"syscall"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
)

// A program that is not executed, and what else would stand in its way.
func TestNotExecuted(t *testing.T) {
	known := func(s caps.State) facts.Fact[caps.State] { return facts.Fact[caps.State]{}.Now(s) }
	bind, raw := caps.SetOf(caps.NET_BIND_SERVICE), caps.SetOf(caps.NET_RAW)
	for _, tt := range []struct {
		bounding, file caps.Set
		goal           Goal
		want           string
	}{
		{raw, bind, Goal{Network: "tcp", Port: 443, Raises: true}, "exec-refused bounding-excludes"},
		{raw, bind, Goal{Network: "tcp", Port: 8443}, "exec-refused"},
		{bind, bind | raw, Goal{Network: "tcp", Port: 443, Raises: true}, "exec-refused"},
		{bind, bind | raw, Goal{Require: raw}, "exec-refused bounding-excludes"},
		{bind, bind | raw, Goal{Require: bind}, "exec-refused"},
	} {
		f := machines(t)["no-capability"].record.Facts()
		f.File.Installed.Caps = f.File.Installed.Caps.Now(caps.File{Version: 2, Permitted: tt.file, Effective: true})
		f.Launch.Starter = known(caps.State{Bounding: tt.bounding})
		f = Plan(f)
		var found Finding
		if tt.goal.Network == "" {
			found = Explain(&f, tt.goal, nil)
		} else {
			found = bindRefused(f, tt.goal, syscall.EPERM)
		}
		var got []string
		for _, c := range found.Causes {
			got = append(got, c.ID)
			if c.Certainty != report.Proven || strings.ContainsAny(c.Summary+c.Detail, "{}") {
				t.Errorf("%+v", c)
			}
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%v of a file with %v for %+v: %q, want %q", tt.bounding, tt.file, tt.goal, got, tt.want)
		}
		if missing := tt.file &^ tt.bounding; !strings.Contains(found.Causes[0].Summary, missing.String()) {
			t.Errorf("%q does not name %v", found.Causes[0].Summary, missing)
		}
	}
}

// What cannot be told is said to be so, whatever else is known.
func TestUntold(t *testing.T) {
	for name, m := range machines(t) {
		f := m.record.Facts()
		found := Untold(&f, m.goal, "nobody looked")
		if len(found.Causes) != 1 || found.Causes[0].ID != "unknown" || found.Causes[0].Certainty != report.Possible ||
			!strings.Contains(found.Causes[0].Detail, "nobody looked") {
			t.Errorf("%s: %+v", name, found)
		}
	}
}
