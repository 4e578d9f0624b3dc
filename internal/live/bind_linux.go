package live

import (
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Takes binds a socket to port 0 of the address, which needs no privilege, and closes it. nil
// says that the address can be bound here, perhaps by a route that no interface shows.
func Takes(a netip.Addr) error { return try(a, 0, unix.SOCK_DGRAM, false) }

// Excludes tries whether a socket that does not listen excludes a TCP listener on an address:
// EADDRINUSE says that one does, any other error that it could not be told. It binds a
// socket with SO_REUSEADDR and closes it. Since that does not listen, it is in nobody's way.
func Excludes(a netip.Addr, port int, only6 bool) error { return try(a, port, unix.SOCK_STREAM, only6) }

// try binds a socket to an address and closes it. The zero Addr is the wildcard of IPv6.
func try(a netip.Addr, port, kind int, only6 bool) error {
	family, at := unix.AF_INET6, unix.Sockaddr(&unix.SockaddrInet6{Port: port})
	switch {
	case a.Is4():
		family, at = unix.AF_INET, &unix.SockaddrInet4{Addr: a.As4(), Port: port}
	case a.IsValid():
		to := &unix.SockaddrInet6{Addr: a.As16(), Port: port}
		if zone := a.Zone(); zone != "" {
			i, err := net.InterfaceByName(zone)
			if err != nil {
				return err
			}
			to.ZoneId = uint32(i.Index)
		}
		at = to
	}
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return err
	}
	if only := map[bool]int{true: 1}[only6]; family == unix.AF_INET6 {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only); err != nil {
			return err
		}
	}
	return unix.Bind(fd, at)
}
