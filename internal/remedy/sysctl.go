package remedy

import (
	"fmt"

	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/rules"
)

// sysctl lowers the threshold of the network namespace to the port.
func sysctl(f facts.Facts, g rules.Goal) (candidate, bool) {
	if g.Network == "" || f.Launcher.Container.State == facts.Known && f.Launcher.Unit.State != facts.Known && rules.Counts(f, g.Need()) != rules.No {
		return candidate{}, false
	}
	start := g.Port
	if g.Port >= 1024 {
		start = 1024
	}
	fix, ok := network(f, "", fmt.Sprintf("net.ipv4.ip_unprivileged_port_start=%d", start), "/etc/sysctl.d/50-lowport.conf")
	fix.ID = "sysctl"
	return candidate{
		Fix: fix,
		change: func(f facts.Facts) facts.Facts {
			f.Net.PortStart = f.Net.PortStart.Now(start)
			return f
		},
	}, ok
}

// nonlocal lets programs bind an address before it is there.
func nonlocal(f facts.Facts, g rules.Goal) (candidate, bool) {
	if rules.Local(f, g) != rules.No {
		return candidate{}, false
	}
	setting, file := "net.ipv4.ip_nonlocal_bind=1", "/etc/sysctl.d/50-lowport-nonlocal.conf"
	if !g.Addr.Is4() {
		setting, file = "net.ipv6.ip_nonlocal_bind=1", "/etc/sysctl.d/50-lowport-nonlocal6.conf"
	}
	fix, ok := network(f, "if the address comes later (a floating one)", setting, file)
	fix.ID = "nonlocal-bind"
	return candidate{
		Fix: fix,
		change: func(f facts.Facts) facts.Facts {
			if g.Addr.Is4() {
				f.Net.Nonlocal = f.Net.Nonlocal.Now(true)
			} else {
				f.Net.Nonlocal6 = f.Net.Nonlocal6.Now(true)
			}
			return f
		},
	}, ok
}
