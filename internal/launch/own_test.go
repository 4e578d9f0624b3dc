package launch

import (
	"strings"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// What a user's own manager gives its service: of what it holds, what the unit asks for.
func TestOwnManager(t *testing.T) {
	bind := caps.SetOf(caps.NET_BIND_SERVICE)
	none := facts.Fact[caps.State]{State: facts.Absent}
	bare := known(caps.State{Bounding: full})
	given := known(caps.State{Permitted: bind, Effective: bind, Inheritable: bind, Ambient: bind, Bounding: full})
	for _, tt := range []struct {
		runs    facts.Fact[caps.State]
		service string
		want    caps.State
		stops   string
	}{
		{none, "", caps.State{Bounding: full}, ""},
		{bare, "", caps.State{Bounding: full}, ""},
		{bare, "AmbientCapabilities=CAP_NET_BIND_SERVICE", caps.State{}, "218"},
		{bare, "CapabilityBoundingSet=CAP_NET_BIND_SERVICE", caps.State{}, "218"},
		{bare, "AmbientCapabilities=", caps.State{Bounding: full}, ""},
		{given, "AmbientCapabilities=CAP_NET_BIND_SERVICE", caps.State{Permitted: bind, Effective: bind, Inheritable: bind, Ambient: bind, Bounding: full}, ""},
		{given, "AmbientCapabilities=CAP_NET_BIND_SERVICE CAP_CHOWN", caps.State{}, "cap_net_bind_service alone"},
		{given, "CapabilityBoundingSet=CAP_NET_BIND_SERVICE", caps.State{}, "218"},
		{given, "ProtectClock=yes", caps.State{}, "218"},
		{given, "", caps.State{Permitted: bind, Effective: bind, Bounding: full}, ""}, // the ambient set is what the unit says
		{given, "ExecStart=\nExecStart=+/srv/app", given.Value, ""},
		{bare, "ExecStart=\nExecStart=+/srv/app\nCapabilityBoundingSet=", bare.Value, ""},
		{given, "LockPersonality=yes", caps.State{Permitted: bind, Effective: bind, Bounding: full, NoNewPrivs: true}, ""},
	} {
		u := read(t, tt.service)
		u.User = true
		command, err := u.Main("")
		if err != nil {
			t.Fatal(err)
		}
		m, err := u.OwnManager(command, tt.runs, root)
		if tt.stops != "" {
			if err == nil || !strings.Contains(err.Error(), tt.stops) {
				t.Errorf("%q: %v, want %q", tt.service, err, tt.stops)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", tt.service, err)
			continue
		}
		app := facts.Account{Name: "app", UID: 1000, GID: 1000}
		f := facts.Facts{}
		f.Launcher.Init = root
		f, err = u.Start(f, m, command, app)
		ids, _ := f.Proc.IDs.Is()
		if err != nil || f.Launch.Starter.Value != tt.want || ids.UID != app.UID || f.Launcher.Parent.Value.UID != app.UID {
			t.Errorf("%q: %v as %v, want %v; %v", tt.service, f.Launch.Starter.Value, ids, tt.want, err)
		}
	}
}

// Of a limit the last value that is one counts.
func TestLimits(t *testing.T) {
	for service, doubted := range map[string]bool{
		"LimitNOFILE=3":                        true,
		"LimitNOFILE=3\nLimitNOFILE=junk":      true,
		"LimitNOFILE=3\nLimitNOFILE=1024:2048": false,
		"LimitNOFILE=3\nLimitNOFILE=infinity":  false,
		"LimitNOFILE=3\nLimitNOFILE=":          false,
		"LimitNOFILE=1024\nLimitNOFILE=3":      true,
		"LimitNPROC=1":                         false, // of root
		"LimitNOFILE=64":                       false,
		"LimitNOFILE=63":                       true,
		"LimitNOFILE=:5":                       false, // no value
		"LimitAS=4194304K":                     false,
		"LimitAS=4096M":                        false,
		"LimitAS=1G":                           true,
		"LimitAS=1T":                           false,
	} {
		u := read(t, service)
		if err := limits(u, place{}); err != nil || (len(u.doubts) > 0) != doubted {
			t.Errorf("%q: %q, %v", service, u.doubts, err)
		}
	}
}
