package unit

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
)

// socketFile is the unit that holds the port.
func (s Service) socketFile() (File, error) {
	lines := []line{}
	for _, l := range []struct {
		field, directive string
		addresses        []string
	}{{"Listen", "ListenStream", s.Listen}, {"ListenUDP", "ListenDatagram", s.ListenUDP}} {
		var all []netip.AddrPort
		for _, address := range l.addresses {
			value, at, err := socketAddress(l.field, address)
			if err != nil {
				return File{}, err
			}
			if slices.ContainsFunc(all, func(other netip.AddrPort) bool { return overlap(at, other) }) {
				return File{}, fmt.Errorf("unit: %s %q is covered by another address of the list: systemd could not bind both", l.field, address)
			}
			all = append(all, at)
			lines = append(lines, line{l.directive, value})
		}
	}
	lines = append(lines,
		line{"", "# A bare port is for IPv6 and IPv4, whatever the machine's default."}, line{"BindIPv6Only", "both"},
		line{"", "# An address need not be up when the socket is made."}, line{"FreeBind", "yes"},
		line{"Backlog", "4096"})
	return File{s.Name + ".socket", render(
		section{"Unit", []line{{"Description", text(s.Description) + " socket"}}},
		section{"Socket", lines},
		section{"Install", []line{{"WantedBy", "sockets.target"}}},
	)}, nil
}

// socketAddress writes an address as ListenStream= has it: a port alone, or
// with an IP address. What it means is [::] for a port alone.
func socketAddress(field, address string) (string, netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", netip.AddrPort{}, fmt.Errorf("unit: %s: %w", field, err)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", netip.AddrPort{}, fmt.Errorf("unit: %s %q: the port is not a number from 1 to 65535", field, address)
	}
	if host == "" {
		return strconv.FormatUint(n, 10), netip.AddrPortFrom(netip.IPv6Unspecified(), uint16(n)), nil
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || ip.Zone() != "" {
		return "", netip.AddrPort{}, fmt.Errorf("unit: %s %q: the host is not an IP address, and systemd resolves no names", field, address)
	}
	at := netip.AddrPortFrom(ip.Unmap(), uint16(n))
	return at.String(), at, nil
}

// overlap reports whether the kernel lets only one of two sockets have its address:
// [::] is every one of IPv4 too, by BindIPv6Only=both.
func overlap(a, b netip.AddrPort) bool {
	holds := func(a, b netip.Addr) bool {
		return a == b || a == netip.IPv6Unspecified() || a == netip.IPv4Unspecified() && b.Is4()
	}
	return a.Port() == b.Port() && (holds(a.Addr(), b.Addr()) || holds(b.Addr(), a.Addr()))
}
