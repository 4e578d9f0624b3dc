package remedy

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"syscall"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
)

// asked is what the operator edits for a program to listen on another address.
const asked = "what the program is asked to listen on"

// nonlocal lets programs bind an address before it is there.
func nonlocal(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	s, special := f.Net.SpecialAddress(g.Addr)
	unserved := special && (s.Down || s.Duplicate || g.Addr.Zone() != "" && !s.Has(g.Addr.Zone())) // no packet would come
	if kernel.Local(f, g) == kernel.Yes || kernel.Loopback6Off(f, g) || unserved {
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
		only:   func(other kernel.Goal) bool { return other.Addr.Is4() == g.Addr.Is4() },
	}, ok
}

// linkUp brings up the interface that has the address.
func linkUp(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	s, found := f.Net.SpecialAddress(g.Addr)
	enter, ok := entering(f)
	if !found || !s.Down || !ok || f.Launcher.Container.State == facts.Known {
		return candidate{}, false
	}
	return candidate{
		Fix: report.Fix{ID: "interface-up", Scope: "host", Summary: "bring up the interface that has the address", Lasts: "until reboot",
			Steps: []report.Step{{Run: sudo(f, append(enter, "ip", "link", "set", s.Dev, "up")...)}}},
		change: func(w kernel.World) kernel.World { w.Local = true; return w },
		only:   func(other kernel.Goal) bool { return other.Addr == g.Addr },
	}, true
}

// rightZone names the interface that has a link-local address.
func rightZone(w kernel.World, g kernel.Goal) (candidate, bool) {
	s, found := w.Facts.Net.SpecialAddress(g.Addr)
	if !found || s.Down || !g.Addr.Is6() || !g.Addr.IsLinkLocalUnicast() || s.Has(g.Addr.Zone()) {
		return candidate{}, false
	}
	return candidate{
		Fix: report.Fix{ID: "zone", Scope: "code", Summary: "on the interface that has the address", Lasts: "as long as it is asked to",
			Steps: []report.Step{{Edit: asked, Content: net.JoinHostPort(s.Addr.WithZone(s.Dev).String(), strconv.Itoa(g.Port)) + "\n"}}},
		change: func(w kernel.World) kernel.World { w.Local = true; return w },
		only:   func(other kernel.Goal) bool { return other.Addr == g.Addr },
	}, true
}

// loopback6 gives the loopback interface its IPv6 address back.
func loopback6(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	if !kernel.Loopback6Off(f, g) {
		return candidate{}, false
	}
	fix, ok := network(f, "", "net.ipv6.conf.lo.disable_ipv6=0", "/etc/sysctl.d/50-lowport-loopback.conf")
	fix.ID = "loopback-ipv6"
	return candidate{
		Fix:    fix,
		change: func(w kernel.World) kernel.World { w.Local = true; return w },
		only:   func(other kernel.Goal) bool { return kernel.Loopback6Off(f, other) },
	}, ok
}

// everyAddress makes the program listen on every address of the family, also on one that comes
// later. It does not apply to a loopback address, since it would open the program to others.
func everyAddress(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	if s, special := f.Net.SpecialAddress(g.Addr); special && s.Duplicate { // it would not come
		return candidate{}, false
	}
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
	if !certainlyFree(f, wide) {
		return candidate{}, false
	}
	return candidate{
		Fix: report.Fix{ID: "every-address", Scope: "code", Summary: "on every address, also one that comes later", Lasts: "as long as it is asked to",
			Steps: []report.Step{{Edit: asked, Content: net.JoinHostPort(host, strconv.Itoa(g.Port)) + "\n"}}},
		change: func(w kernel.World) kernel.World { w.Local = true; return w },
		byHand: true,
	}, true
}

// oneAddress makes the program listen on a single address of this machine, beside a socket that
// holds the port on another. A loopback address, which serves this machine alone, takes the
// place of every address only where what holds the port serves others.
func oneAddress(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	if w.Holder < 0 || g.Addr.IsValid() && !g.Addr.IsUnspecified() {
		return candidate{}, false
	}
	holder := f.Net.Sockets.Value[w.Holder].Addr.Addr()
	var best netip.Addr
	for _, a := range f.Net.Addresses.Value {
		one := g.Retried()
		one.Addr = a
		usable := kernel.Fit(one) && !a.IsLinkLocalUnicast() && !slices.Contains(f.Net.Tentative.Value, a)
		if !usable || a.IsLoopback() && (holder.IsLoopback() || holder.IsUnspecified()) || !certainlyFree(f, one) {
			continue
		}
		if !best.IsValid() || best.IsLoopback() && !a.IsLoopback() {
			best = a
		}
	}
	return candidate{
		Fix: report.Fix{ID: "one-address", Scope: "code", Summary: "on one address, where the port is free", Lasts: "as long as it is asked to",
			Steps: []report.Step{{Edit: asked, Content: net.JoinHostPort(best.String(), strconv.Itoa(g.Port)) + "\n"}}},
		change: func(w kernel.World) kernel.World { w.Holder = kernel.Nobody; return w },
	}, best.IsValid()
}

// certainlyFree reports whether no socket may keep the goal's address from it, also none that is
// bound and does not listen.
func certainlyFree(f *facts.Facts, g kernel.Goal) bool {
	taken := g
	taken.Refused.Errno = syscall.EADDRINUSE // so that what only may be in the way is counted
	bound := slices.ContainsFunc(f.Net.Sockets.Value, func(s facts.Socket) bool { return s.Bound && kernel.Conflicts(s, taken) != kernel.No })
	return kernel.Free(f, g) == kernel.Yes && !bound
}
