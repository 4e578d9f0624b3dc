package remedy

import (
	"fmt"

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
	return candidate{
		Fix: Fix{ID: "sysctl", Scope: "host", Summary: "on the host, for every process", Lasts: "the first line until reboot, the file for good", Steps: []Step{
			{Run: sudo(f, "sysctl", "-w", setting)},
			{Write: "/etc/sysctl.d/50-lowport.conf", Content: setting + "\n"},
		}},
		change: func(f machine.Facts) machine.Facts {
			f.PortStart = f.PortStart.Now(start)
			return f
		},
	}, true
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
	return candidate{
		Fix: Fix{ID: "nonlocal-bind", Scope: "host", Summary: "if the address comes later (a floating one), for every process", Lasts: "the first line until reboot, the file for good", Steps: []Step{
			{Run: sudo(f, "sysctl", "-w", setting)},
			{Write: file, Content: setting + "\n"},
		}},
		change: func(f machine.Facts) machine.Facts {
			if g.Addr.Is4() {
				f.Nonlocal = f.Nonlocal.Now(true)
			} else {
				f.Nonlocal6 = f.Nonlocal6.Now(true)
			}
			return f
		},
	}, true
}
