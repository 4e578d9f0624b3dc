package privport

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// compare says in what a new socket differs from what was asked.
func compare(network, address string, got net.Addr) []string {
	var has netip.AddrPort
	switch a := got.(type) {
	case *net.TCPAddr:
		has = a.AddrPort()
	case *net.UDPAddr:
		has = a.AddrPort()
	}
	host, service, err := net.SplitHostPort(address)
	if err != nil || !has.IsValid() {
		return nil
	}
	// Go turns every address into every IPv4 address where it finds IPv6 refused.
	ip := has.Addr().Unmap()
	if host == "" && network == network[:3] && ip == netip.IPv4Unspecified() {
		return []string{onlyIPv4(int(has.Port()), has, "IPv6 is off or refused here")}
	}
	if asked, err := netip.ParseAddr(host); err == nil && asked.IsMulticast() && ip.IsUnspecified() {
		return []string{fmt.Sprintf("asked for %s, got %v: for a multicast address Go binds every address", address, got)}
	}
	// A BPF program of the cgroup can rewrite what bind(2) is asked for.
	port, err := strconv.Atoi(service)
	asked, errIP := netip.ParseAddr(host)
	if err == nil && port != 0 && port != int(has.Port()) || errIP == nil && !asked.IsUnspecified() && asked.Unmap().WithZone("") != ip.WithZone("") {
		return []string{fmt.Sprintf("asked for %s, got %v: the bind was rewritten on the way, as a BPF program can", address, got)}
	}
	return nil
}

func onlyIPv4(port int, got netip.AddrPort, why string) string {
	return fmt.Sprintf("asked for every address of port %d, got only the IPv4 ones (%v): %s", port, got, why)
}
