package kernel

import (
	"net/netip"
	"slices"

	"github.com/lowport/lowport/internal/facts"
)

// Local reports whether the kernel accepts a bind to the address: this machine has it
// (inet_addr_valid_or_nonlocal, ipv6_chk_addr), or ip_nonlocal_bind is on.
func Local(f *facts.Facts, g Goal) Answer {
	if !Fit(g) {
		return No
	}
	if g.any() || g.Addr.Is4() && g.Addr.IsLoopback() || g.Addr.IsMulticast() {
		return Yes
	}
	nonlocal := f.Net.Nonlocal
	if !g.Addr.Is4() {
		nonlocal = f.Net.Nonlocal6
	}
	return Or(ask(nonlocal, func(on bool) bool { return on }), hasAddress(f, g))
}

// hasAddress reports whether an interface that is up has the address, ready to be used.
func hasAddress(f *facts.Facts, g Goal) Answer {
	has := func(all []netip.Addr) bool { return slices.Contains(all, g.Addr.WithZone("").Unmap()) }
	here := ask(f.Net.Addresses, has)
	if s, found := f.Net.SpecialAddress(g.Addr); found && g.Addr.Zone() != "" && !s.Has(g.Addr.Zone()) {
		return No
	}
	if !g.Addr.Is4() {
		here = And(here, ask(f.Net.Tentative, func(all []netip.Addr) bool { return !has(all) }))
	}
	return here
}

// Fit reports whether a socket can have the address at all. For IPv6 the kernel refuses a
// multicast address for TCP, and a link-local address without its zone (__inet6_bind). For
// IPv4 it accepts multicast addresses. For UDP Go binds a wildcard instead of a multicast
// address.
func Fit(g Goal) bool {
	a := g.Addr
	switch {
	case !a.Is6():
		return true
	case a.IsMulticast():
		return g.Protocol() == "udp"
	default:
		return !a.IsLinkLocalUnicast() || a.Zone() != ""
	}
}
