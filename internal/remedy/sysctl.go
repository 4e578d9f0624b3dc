package remedy

import (
	"fmt"

	"github.com/lowport/lowport/internal/explain"
	"github.com/lowport/lowport/internal/machine"
	"github.com/lowport/lowport/internal/rules"
)

// sysctl lowers the threshold of the network namespace to the port.
func sysctl(f machine.Facts, g rules.Goal) (candidate, bool) {
	if g.Network == "" || f.Container.State == machine.Known && f.Unit.State != machine.Known && rules.Counts(f, g.Need()) != rules.No {
		return candidate{}, false
	}
	start := g.Port
	if g.Port >= 1024 {
		start = 1024
	}
	setting := fmt.Sprintf("net.ipv4.ip_unprivileged_port_start=%d", start)
	fix, ok := set(f, setting, "/etc/sysctl.d/50-lowport.conf")
	fix.ID, fix.Summary = "sysctl", "on the host, for every process"
	if fix.Scope == "netns" {
		fix.Summary = "for every process of the network namespace " + explain.Show(f.NetName.Value)
	}
	return candidate{
		Fix: fix,
		change: func(f machine.Facts) machine.Facts {
			f.PortStart = f.PortStart.Now(start)
			return f
		},
	}, ok
}

// set changes a setting of the network namespace: of the operator's for good.
func set(f machine.Facts, setting, file string) (Fix, bool) {
	run, ok := withNetwork(f, "sysctl", "-w", setting)
	fix := Fix{Scope: "netns", Lasts: "until the namespace is made anew", Steps: []Step{{Run: sudo(f, run...)}}}
	if run[0] == "sysctl" {
		fix.Scope, fix.Lasts = "host", "the first line until reboot, the file for good"
		fix.Steps = append(fix.Steps, Step{Write: file, Content: setting + "\n"})
	}
	return fix, ok
}

// nonlocal lets programs bind an address before it is there.
func nonlocal(f machine.Facts, g rules.Goal) (candidate, bool) {
	if rules.Local(f, g) != rules.No {
		return candidate{}, false
	}
	setting, file := "net.ipv4.ip_nonlocal_bind=1", "/etc/sysctl.d/50-lowport-nonlocal.conf"
	if !g.Addr.Is4() {
		setting, file = "net.ipv6.ip_nonlocal_bind=1", "/etc/sysctl.d/50-lowport-nonlocal6.conf"
	}
	fix, ok := set(f, setting, file)
	fix.ID, fix.Summary = "nonlocal-bind", "if the address comes later (a floating one), for every process"
	return candidate{
		Fix: fix,
		change: func(f machine.Facts) machine.Facts {
			if g.Addr.Is4() {
				f.Nonlocal = f.Nonlocal.Now(true)
			} else {
				f.Nonlocal6 = f.Nonlocal6.Now(true)
			}
			return f
		},
	}, ok
}
