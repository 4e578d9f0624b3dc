package remedy

import (
	"fmt"

	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
)

// sysctl lowers the threshold of the network namespace to the port.
func sysctl(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	if g.Network == "" || f.Launcher.Container.State == facts.Known && f.Launcher.Unit.State != facts.Known && w.Counts {
		return candidate{}, false
	}
	start := g.Port
	if g.Port >= 1024 {
		start = 1024
	}
	fix, ok := network(f, "", fmt.Sprintf("net.ipv4.ip_unprivileged_port_start=%d", start), "/etc/sysctl.d/50-lowport.conf")
	fix.ID = "sysctl"
	return candidate{
		Fix:    fix,
		change: func(w kernel.World) kernel.World { w.PortStart = start; return w },
	}, ok
}

// nonlocal lets programs bind an address before it is there.
func nonlocal(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	if w.Local {
		return candidate{}, false
	}
	setting, file := "net.ipv4.ip_nonlocal_bind=1", "/etc/sysctl.d/50-lowport-nonlocal.conf"
	if !g.Addr.Is4() {
		setting, file = "net.ipv6.ip_nonlocal_bind=1", "/etc/sysctl.d/50-lowport-nonlocal6.conf"
	}
	fix, ok := network(f, "if the address comes later (a floating one)", setting, file)
	fix.ID = "nonlocal-bind"
	return candidate{
		Fix:    fix,
		change: func(w kernel.World) kernel.World { w.Local = kernel.Fit(g); return w },
	}, ok
}
