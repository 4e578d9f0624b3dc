package launch

import (
	"slices"
	"testing"

	"github.com/lowport/lowport/internal/program"
)

// Whether systemd leaves a program running depends on which process ends first, and on what the
// program tells systemd (systemd.service(5)). The answers are those of systemd 252.
func TestKeeps(t *testing.T) {
	yes := program.Answer[bool]{Value: true}
	unknown := program.Answer[bool]{Why: "not known"}
	leaves := Process{Leaves: true, Readiness: unknown}
	mayLeave := Process{MayLeave: true, MayFork: true, Readiness: unknown}
	stays, inGo, forked := Process{Readiness: unknown}, Process{Go: true}, Process{Forks: true, Readiness: yes}
	for _, tt := range []struct {
		service string
		is      Process
		want    string
	}{
		{"", stays, ""},
		{"Type=exec", inGo, ""},
		{"", forked, ""},

		{"", leaves, "ends"},
		{"Type=idle", leaves, "ends"},
		{"Type=oneshot", leaves, "ends"},
		{"KillMode=mixed", leaves, "ends"},
		{"KillMode=process", leaves, ""},
		{"RemainAfterExit=yes", leaves, ""},
		{"Type=forking", leaves, ""},
		{"Type=notify\nRemainAfterExit=yes", leaves, "ends"},
		{"", mayLeave, "doubt"},
		{"KillMode=none", mayLeave, ""},
		{"Type=forking", mayLeave, "doubt"},

		{"Type=forking", inGo, "doubt"},
		{"Type=forking", forked, "doubt"},
		{"Type=forking", stays, "note"},

		{"Type=notify", inGo, "ends"},
		{"Type=notify-reload", inGo, "ends"},
		{"Type=notify", Process{Go: true, Readiness: yes}, ""},
		{"Type=notify", stays, "note"},
		{"Type=notify", forked, "ends"},
		{"Type=notify\nNotifyAccess=all", forked, ""},
		{"Type=notify", Process{MayFork: true, Readiness: yes}, "doubt"},

		{"Type=dbus\nBusName=x.y", stays, "note"},
		{"Type=oneshot\nTimeoutStartSec=5", stays, "note"},
		{"Type=oneshot\nTimeoutStartSec=infinity", stays, ""},
		{"TimeoutStartSec=5", stays, ""},
		{"WatchdogSec=5", inGo, "note"},
		{"WatchdogSec=5", stays, "note"},
		{"WatchdogSec=5", Process{Readiness: yes}, ""},
		{"WatchdogSec=0", inGo, ""},
	} {
		u := read(t, tt.service)
		u.Notes = nil
		u.doubts = nil
		err := u.Keeps(tt.is)
		got := ""
		switch {
		case err != nil:
			got = "ends"
		case len(u.doubts) > 0:
			got = "doubt"
		case len(u.Notes) > 0:
			got = "note"
		}
		if got != tt.want {
			t.Errorf("%q, %+v: %q (%v, %q), want %q", tt.service, tt.is, got, err, u.Notes, tt.want)
		}
	}
}

// StopWhenUnneeded= stops a service that no other unit needs.
func TestUnneeded(t *testing.T) {
	for line, want := range map[string]string{"StopWhenUnneeded=yes": "doubt", "StopWhenUnneeded=no": "", "Wants=x": ""} {
		if got := told(read(t, "[Unit]\n"+line), place{}, unneeded); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

// A stop of the service ends what KillMode= says (systemd.kill(5)).
func TestEndsBefore(t *testing.T) {
	for _, tt := range []struct {
		mode        string
		ends, alone bool
	}{{"", true, false}, {"control-group", true, false}, {"mixed", true, false}, {"process", true, true}, {"none", false, false}} {
		u := read(t, "KillMode="+tt.mode)
		if got := u.EndsBefore(); slices.Contains(got, u.Name) != tt.ends || u.EndsMainAlone() != tt.alone {
			t.Errorf("KillMode=%s: %v, main alone: %v", tt.mode, got, u.EndsMainAlone())
		}
	}
}
