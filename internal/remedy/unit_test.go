package remedy

import (
	"strings"
	"syscall"
	"testing"

	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
)

func TestUnitUser(t *testing.T) {
	with := func(f facts.Facts, changes ...func(*facts.Facts)) facts.Facts {
		for _, change := range changes {
			change(&f)
		}
		return f
	}
	user := func(f *facts.Facts) { f.Proc.IDs = known(facts.IDs{UID: 1000, EUID: 1000}) }
	named := func(f *facts.Facts) { f.Launcher.UserNamed = known(true) }
	below := func(init bool) func(*facts.Facts) {
		return func(f *facts.Facts) { f.Launcher.Ancestor = known(facts.Ancestor{Init: init}) }
	}
	for _, tt := range []struct {
		name string
		f    facts.Facts
		want bool
	}{
		{"root", with(facts.Facts{}, func(f *facts.Facts) { f.Proc.IDs = known(facts.IDs{}) }, below(true)), true},
		{"User=", with(facts.Facts{}, user, named, below(true)), true},
		{"it changed itself", with(facts.Facts{}, user, below(true)), false},
		{"a supervisor changed it", with(facts.Facts{}, user, named, below(false)), false},
		{"ancestors are hidden", with(facts.Facts{}, user, named), true},
		{"nothing is known", facts.Facts{}, false},
		{"predicted", with(facts.Facts{}, user, func(f *facts.Facts) { f.Launch.Planned = true }), true},
	} {
		if got := unitUser(&tt.f); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// The drop-in sorts behind every one that is there, and takes the place of none.
func TestLastName(t *testing.T) {
	for last, want := range map[string]string{
		"":                  "zz-lowport.conf",
		"override.conf":     "zz-lowport.conf",
		"zz.conf":           "zz_lowport.conf",
		"zz-lowport.conf":   "zz-lowport_lowport.conf",
		"zzz.conf":          "zzz_lowport.conf",
		"zzz-.conf":         "zzz-_lowport.conf",
		"\xff.conf":         "\xff_lowport.conf",
		"zz-lowport-x.conf": "zz-lowport.conf",
	} {
		if got := lastName(last); got != want || got <= last {
			t.Errorf("%q: %q, want %q", last, got, want)
		}
	}
	deep := func(f *facts.Facts) { f.Launcher.LastDropIn = known(strings.Repeat("z", 250) + ".conf") }
	for _, fix := range fixesOf(app(unit, deep), low) {
		if fix.ID == "systemd-drop-in" {
			t.Errorf("a name that is too long: %+v", fix)
		}
	}
}

// A filter of the unit's own is widened by a line that adds to it; where the unit has none,
// the same line would refuse all else.
func TestFixesOfFilters(t *testing.T) {
	probes := func(errno string, by facts.By) func(*facts.Facts) {
		return func(f *facts.Facts) {
			f.Proc.Seccomp = known(2)
			f.Policy.Probes = known([]facts.Probe{{Network: "tcp4", Errno: errno, By: by}, {Network: "tcp6", Errno: errno, By: by}})
		}
	}
	sets := func(keys ...string) func(*facts.Facts) {
		return func(f *facts.Facts) { f.Launcher.UnitFilters = known(keys) }
	}
	listen := low
	listen.Refused = kernel.Refusal{Errno: syscall.EPERM, Call: "listen"}
	families, calls := "RestrictAddressFamilies=AF_INET AF_INET6", "SystemCallFilter=@network-io"
	ambient := "AmbientCapabilities=CAP_NET_BIND_SERVICE"
	six := kernel.Goal{Network: "tcp6", Port: 443}
	for _, tt := range []struct {
		name    string
		goal    kernel.Goal
		changes []func(*facts.Facts)
		want    string // the lines of the first drop-in
	}{
		{"bind", low, []func(*facts.Facts){unit, holds, probes("EPERM", facts.ByFilter), sets("SystemCallFilter")}, calls},
		{"bind, in no filter of the unit's", low, []func(*facts.Facts){unit, holds, probes("EPERM", facts.ByFilter), sets("RestrictAddressFamilies")}, ""},
		{"bind, in a user's unit", low, []func(*facts.Facts){userUnit, holds, probes("EPERM", facts.ByFilter), sets("SystemCallFilter")}, ""},
		{"bind, by the kernel", low, []func(*facts.Facts){unit, holds, probes("EPERM", facts.ByKernel), sets("SystemCallFilter")}, ""},
		{"bind, and nothing granted", low, []func(*facts.Facts){unit, probes("EPERM", facts.ByFilter), sets("SystemCallFilter")}, ambient + "\n" + calls},
		{"listen", listen, []func(*facts.Facts){unit, holds, probes("", ""), sets("SystemCallFilter")}, calls},
		{"a family", low, []func(*facts.Facts){unit, holds, probes("EAFNOSUPPORT", ""), sets("RestrictAddressFamilies")}, families},
		{"a family, not by the unit", low, []func(*facts.Facts){unit, holds, probes("EAFNOSUPPORT", "")}, ""},
		{"IPv6, which the kernel may lack", six, []func(*facts.Facts){unit, holds, probes("EAFNOSUPPORT", ""), sets("RestrictAddressFamilies")}, ""},
		{"IPv6", six, []func(*facts.Facts){unit, holds, probes("EAFNOSUPPORT", ""), sets("RestrictAddressFamilies"),
			func(f *facts.Facts) { f.Net.NoLoop6 = known(false) }}, families},
	} {
		got, dropIns := "", 0
		for _, fix := range fixesOf(app(tt.changes...), tt.goal) {
			if fix.ID != "systemd-drop-in" {
				continue
			}
			if dropIns++; dropIns == 1 {
				got = strings.TrimSuffix(strings.TrimPrefix(fix.Steps[0].Content, "[Service]\n"), "\n")
			}
		}
		if got != tt.want || dropIns > 1 {
			t.Errorf("%s: %q, the first of %d, want %q", tt.name, got, dropIns, tt.want)
		}
	}
}

// A unit that systemd starts anew may have reached its start limit, which is reset before each
// restart that a fix asks for.
func TestResetsStartLimit(t *testing.T) {
	const reset = "sudo systemctl reset-failed app.service; sudo systemctl restart app.service"
	for want, keys := range map[string][]string{reset: {facts.Restarts}, "sudo systemctl restart app.service": {"SystemCallFilter"}} {
		f := app(unit, func(f *facts.Facts) { f.Launcher.UnitFilters = known(keys) })
		restarts := 0
		for _, fix := range fixesOf(f, low) {
			if last := fix.Steps[len(fix.Steps)-1]; strings.Contains(last.Run, "restart") {
				restarts++
				if last.Run != want {
					t.Errorf("%s: %q, want %q", fix.ID, last.Run, want)
				}
			}
		}
		if restarts < 2 {
			t.Errorf("%d fixes restart the unit", restarts)
		}
	}
}

// What a user's unit voids its own user takes back, unless something else implies it.
func TestUserDropIn(t *testing.T) {
	manager := func(o facts.Operator) func(*facts.Facts) {
		return func(f *facts.Facts) { f.Launcher.Operator = known(o) }
	}
	noNewPrivs := func(f *facts.Facts) {
		f.Proc.Thread.Value.NoNewPrivs = true
		f.Proc.Seccomp = known(0)
	}
	filter := func(f *facts.Facts) { f.Proc.Seccomp = known(2) }
	var bound facts.Operator
	bound.NoNewPrivs = true
	for _, tt := range []struct {
		name    string
		changes []func(*facts.Facts)
		want    string
	}{
		{"no_new_privs", []func(*facts.Facts){userUnit, stamped1, noNewPrivs, manager(facts.Operator{})}, "NoNewPrivileges=no"},
		{"by a filter", []func(*facts.Facts){userUnit, stamped1, noNewPrivs, filter, manager(facts.Operator{})}, ""},
		{"of the manager", []func(*facts.Facts){userUnit, stamped1, noNewPrivs, manager(bound)}, ""},
		{"of a manager that is not known", []func(*facts.Facts){userUnit, stamped1, noNewPrivs, func(f *facts.Facts) { f.Launcher.Operator = facts.Fact[facts.Operator]{} }}, ""},
		{"none", []func(*facts.Facts){userUnit, stamped1, manager(facts.Operator{})}, ""},
	} {
		got := ""
		for _, fix := range fixesOf(app(tt.changes...), low) {
			if fix.ID == "systemd-drop-in" {
				got = strings.TrimSuffix(strings.TrimPrefix(fix.Steps[0].Content, "[Service]\n"), "\n")
			}
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
