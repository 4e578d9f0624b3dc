package remedy

import (
	"fmt"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
)

// sysctl lowers the threshold of the network namespace to the port.
func sysctl(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	if g.Network == "" || f.Launcher.Container.State == facts.Known && f.Launcher.Unit.State != facts.Known && w.Counts {
		return candidate{}, false
	}
	start := min(g.Port, 1024)
	fix, ok := network(f, "", fmt.Sprintf("net.ipv4.ip_unprivileged_port_start=%d", start), "/etc/sysctl.d/50-lowport.conf")
	fix.ID = "sysctl"
	return candidate{
		Fix:    fix,
		change: func(w kernel.World) kernel.World { w.PortStart = start; return w },
	}, ok
}

// reserve keeps the kernel from using the port as the local port of an outgoing connection
// (ip_local_reserved_ports).
func reserve(f *facts.Facts, g kernel.Goal) ([]report.Step, bool) {
	ports, known := f.Net.Ephemeral.Is()
	list, knownList := f.Net.Reserved.Is()
	if !known || !knownList || g.Port < ports[0] || g.Port > ports[1] {
		return nil, false
	}
	if list != "" {
		list += ","
	}
	fix, ok := network(f, "", fmt.Sprintf("net.ipv4.ip_local_reserved_ports=%s%d", list, g.Port), "/etc/sysctl.d/50-lowport-reserved.conf")
	return fix.Steps, ok
}
