package privport

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// look says what a descriptor is, and keeps it from the children of this process.
func look(fd int) socket {
	unix.CloseOnExec(fd)
	other := func(why string) socket { return socket{why: why} }
	family, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return other("no socket: " + err.Error())
	}
	kind, errKind := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	protocol, errProtocol := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL)
	listens, errListens := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	if errKind != nil || errProtocol != nil || errListens != nil {
		return other("a socket that tells nothing of itself")
	}
	var s socket
	switch {
	case family != unix.AF_INET && family != unix.AF_INET6:
		return other(fmt.Sprintf("a socket of address family %d", family))
	case kind == unix.SOCK_STREAM && (protocol == unix.IPPROTO_TCP || protocol == unix.IPPROTO_MPTCP):
		if listens == 0 {
			return other("a TCP socket that does not listen")
		}
		s.network = "tcp"
	case kind == unix.SOCK_DGRAM && protocol == unix.IPPROTO_UDP:
		s.network = "udp"
	default:
		return other(fmt.Sprintf("a socket of type %d and protocol %d", kind, protocol))
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return other("a socket without an address: " + err.Error())
	}
	switch a := name.(type) {
	case *unix.SockaddrInet4:
		s.network += "4"
		s.addr = netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		s.network += "6"
		ip := netip.AddrFrom16(a.Addr).Unmap()
		if a.ZoneId != 0 {
			ip = ip.WithZone(zone(int(a.ZoneId)))
		}
		s.addr = netip.AddrPortFrom(ip, uint16(a.Port))
		only, err := unix.GetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY)
		s.both = err == nil && only == 0 && ip.IsUnspecified()
	}
	return s
}

// duplicate returns a copy of a descriptor. It is as blocking as the socket is:
// that is one setting for all copies.
func duplicate(fd int) (*os.File, error) {
	copied, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(copied), "socket"), nil
}

// hold returns a copy of a descriptor that nobody else knows of, or the descriptor
// itself where the process can have no more.
func hold(fd int) int {
	if copied, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0); err == nil {
		return copied
	}
	return fd
}

// zone is the name of an interface, or its number where it has none.
func zone(index int) string {
	if i, err := net.InterfaceByIndex(index); err == nil {
		return i.Name
	}
	return strconv.Itoa(index)
}
