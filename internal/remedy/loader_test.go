package remedy

import (
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/facts"
)

// A program that AT_SECURE would take its libraries from gets an ambient capability, and no
// file capabilities if it would not start.
func TestFixesOfLibraries(t *testing.T) {
	loads := func(maybe bool, needs ...string) func(*facts.Facts) {
		return func(f *facts.Facts) {
			f.Command.Loader = known(facts.Loader{Vars: []string{"LD_LIBRARY_PATH=/opt/a b"}, Needs: needs, Maybe: maybe})
		}
	}
	const ignores = ", and its loader ignores "
	for _, tt := range []struct {
		name    string
		changes []func(*facts.Facts)
		want    string
		costs   string // of what stamps a file
	}{
		{"static", nil, "setcap setpriv sysctl", noTraces},
		{"found where a loader always searches", []func(*facts.Facts){loads(false)}, "setcap setpriv sysctl", noTraces},
		{"by LD_LIBRARY_PATH", []func(*facts.Facts){loads(false, "LD_LIBRARY_PATH")}, "setpriv sysctl", ""},
		{"by $ORIGIN", []func(*facts.Facts){loads(false, facts.Origin)}, "setpriv sysctl", ""},
		{"by $ORIGIN, stamped since", []func(*facts.Facts){loads(false, facts.Origin), stamped1}, "setpriv sysctl", ""},
		{"by $ORIGIN, on nosuid", []func(*facts.Facts){loads(false, facts.Origin), nosuid}, "setpriv sysctl", ""},
		{"by $ORIGIN, in an image", []func(*facts.Facts){loads(false, facts.Origin), docker}, "container compose", ""},
		{"by $ORIGIN, in a unit", []func(*facts.Facts){loads(false, facts.Origin), unit}, "systemd-drop-in systemd-socket sysctl", ""},
		{"by $ORIGIN, of go run", []func(*facts.Facts){loads(false, facts.Origin), goRunFile}, "sysctl", ""},
		{"preloaded", []func(*facts.Facts){loads(false, "LD_PRELOAD")}, "setpriv setcap sysctl", noTraces + ignores + "LD_PRELOAD"},
		{"not started yet", []func(*facts.Facts){loads(true, "LD_LIBRARY_PATH", facts.Origin)}, "setpriv setcap sysctl", noTraces + ignores + "LD_LIBRARY_PATH and $ORIGIN"},
		{"secure already", []func(*facts.Facts){loads(false), func(f *facts.Facts) {
			f.Proc.Secure, f.File.Exe.Caps = known(true), known(facts.Image{}.Caps.Value)
			f.File.Exe.Caps.Value.Version, f.File.Exe.Caps.Value.Effective = 2, true
			f.File.Installed.Caps = f.File.Exe.Caps
		}}, "setcap sysctl", ""},
	} {
		var ids []string
		for _, fix := range fixesOf(app(tt.changes...), low) {
			ids = append(ids, fix.ID)
			stamps := strings.Contains("setcap restart move build image", fix.ID)
			if costs := fix.Costs; stamps && costs != tt.costs || !stamps && costs != map[string]string{"setpriv": "with sudo's PATH and USER"}[fix.ID] {
				t.Errorf("%s: %s costs %q", tt.name, fix.ID, costs)
			}
			if line := fix.Steps[0].Start; fix.ID == "setpriv" && tt.name != "static" && !strings.HasSuffix(line, " -- env 'LD_LIBRARY_PATH=/opt/a b' /srv/app -v") {
				t.Errorf("%s: %s", tt.name, line)
			}
		}
		if got := strings.Join(ids, " "); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
