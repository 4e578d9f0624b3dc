package remedy

import (
	"slices"
	"strings"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
)

// What helps a program that is not even executed.
func TestFixesOfNotExecuted(t *testing.T) {
	raw, high := caps.SetOf(caps.NET_RAW), kernel.Goal{Network: "tcp", Port: 8443}
	manager := func(b caps.Set) func(*facts.Facts) {
		return func(f *facts.Facts) {
			f.Launcher.Init = known(caps.State{Permitted: b, Effective: b, Bounding: b})
			f.Launcher.Ancestor = known(facts.Ancestor{State: f.Launcher.Init.Value})
		}
	}
	for _, tt := range []struct {
		name     string
		bounding caps.Set
		file     caps.Set
		goal     kernel.Goal
		changes  []func(*facts.Facts)
		want     string
		line     string // of the first fix
	}{
		{"a high port", raw, bind, high, nil, "setcap", "sudo setcap cap_net_bind_service=+p /srv/app"},
		{"a high port adds nothing", bind, raw, high, nil, "setcap", "sudo setcap cap_net_raw=+p /srv/app"},
		{"a low port", raw, bind, low, nil, "setcap+sysctl", "sudo setcap cap_net_bind_service=+p /srv/app"},
		{"another capability", bind, bind | raw, low, nil, "setcap", "sudo setcap cap_net_bind_service,cap_net_raw=+p /srv/app"},
		{"a unit", raw, bind, low, []func(*facts.Facts){unit, manager(caps.UpTo(caps.Last))}, "systemd-drop-in", "CapabilityBoundingSet=CAP_NET_BIND_SERVICE"},
		{"a unit of a manager without it", raw, bind, low, []func(*facts.Facts){unit, manager(raw)}, "sysctl+setcap", "sudo setcap"},
		{"a unit, and what PrivateDevices= takes", bind, bind | caps.SetOf(caps.MKNOD), low, []func(*facts.Facts){unit, manager(caps.UpTo(caps.Last))}, "setcap", "sudo setcap cap_net_bind_service,cap_mknod=+p /srv/app"},
		{"docker", raw, bind, high, []func(*facts.Facts){docker}, "cap-add image", "--cap-add=NET_BIND_SERVICE"},
		{"a file of others", raw, bind, high, []func(*facts.Facts){mode(0o100777)}, "", ""},
		{"an interpreter", raw, bind, high, []func(*facts.Facts){func(f *facts.Facts) { f.Launch.Interpreter = true }}, "", ""},
	} {
		f := app(tt.changes...)
		f.File.Installed.Caps = known(caps.File{Version: 2, Permitted: tt.file, Effective: true})
		f.Launch.Starter = known(caps.State{Bounding: tt.bounding})
		fixes := fixesOf(kernel.Plan(f), tt.goal)
		var ids []string
		for _, fix := range fixes {
			ids = append(ids, fix.ID)
		}
		if strings.Join(ids, " ") != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, ids, tt.want)
		} else if len(fixes) > 0 && !slices.ContainsFunc(fixes[0].Steps, func(s report.Step) bool { return strings.Contains(s.Run+s.Content, tt.line) }) {
			t.Errorf("%s: %+v lacks %q", tt.name, fixes[0].Steps, tt.line)
		}
	}
}

// A script is started by its own name, and its interpreter is not stamped.
func TestFixesOfScript(t *testing.T) {
	f := app(func(f *facts.Facts) {
		f.File.Path, f.Command.Args = known("/bin/dash"), known([]string{"/srv/script"})
		f.Launch = facts.Launch{Script: "/srv/script", Interpreter: true, Starter: f.Proc.Thread}
	})
	for _, fix := range fixesOf(kernel.Plan(f), low) {
		for _, s := range fix.Steps {
			if strings.Contains(s.Run+s.Start, "dash") {
				t.Errorf("%+v", fix)
			}
		}
		if fix.ID == "setpriv" && !strings.HasSuffix(fix.Steps[0].Start, " -- /srv/script") {
			t.Errorf("%+v", fix)
		}
	}
}
