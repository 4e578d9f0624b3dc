package remedy

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"syscall"

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

// nonlocal lets programs bind an address before it is there.
func nonlocal(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	if w.Local || kernel.Loopback6Off(f, g) {
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

// loopback6 gives the loopback interface its IPv6 address back.
func loopback6(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	if w.Local || !kernel.Loopback6Off(f, g) {
		return candidate{}, false
	}
	fix, ok := network(f, "", "net.ipv6.conf.lo.disable_ipv6=0", "/etc/sysctl.d/50-lowport-loopback.conf")
	fix.ID = "loopback-ipv6"
	return candidate{Fix: fix, change: func(w kernel.World) kernel.World { w.Local = true; return w }}, ok
}

// everyAddress makes the program listen on every address of the family, also on one that comes
// later. It does not apply to a loopback address, since it would open the program to others.
func everyAddress(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	if w.Local || !kernel.Fit(g) || g.Addr.IsUnspecified() || !g.Addr.IsValid() || g.Addr.IsLoopback() || f.Net.Sockets.State != facts.Known {
		return candidate{}, false
	}
	wide := g.Retried()
	host := "0.0.0.0"
	wide.Addr = netip.IPv4Unspecified()
	wide.Network = g.Protocol() + "4"
	if !g.Addr.Unmap().Is4() {
		host, wide.Addr, wide.Network = "", netip.Addr{}, g.Network
	}
	taken := wide
	taken.Refused.Errno = syscall.EADDRINUSE // so that what only may be in the way is counted
	bound := slices.ContainsFunc(f.Net.Sockets.Value, func(s facts.Socket) bool { return s.Bound && kernel.Conflicts(s, taken) != kernel.No })
	if kernel.Free(f, wide) != kernel.Yes || bound {
		return candidate{}, false
	}
	return candidate{
		Fix: report.Fix{ID: "every-address", Scope: "code", Summary: "on every address, also one that comes later", Lasts: "as long as it is asked to",
			Steps: []report.Step{{Edit: "what the program is asked to listen on", Content: net.JoinHostPort(host, strconv.Itoa(g.Port)) + "\n"}}},
		change: func(w kernel.World) kernel.World { w.Local = true; return w },
		byHand: true,
	}, true
}
