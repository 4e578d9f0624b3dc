package privport

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// look says what a descriptor is, and keeps it from the children of this process.
func look(fd int) Offer {
	unix.CloseOnExec(fd)
	family, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return Offer{Why: "no socket: " + err.Error()}
	}
	kind, errKind := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	protocol, errProtocol := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL)
	listens, errListens := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	if errKind != nil || errProtocol != nil || errListens != nil {
		return Offer{Why: "a socket that tells nothing of itself"}
	}
	network := networkOf(family, kind, protocol)
	switch {
	case network == "":
		return Offer{Why: fmt.Sprintf("a socket of address family %d, type %d and protocol %d", family, kind, protocol)}
	case kind != unix.SOCK_DGRAM && listens == 0:
		return Offer{Why: "a " + network + " socket that does not listen"}
	case kind == unix.SOCK_DGRAM:
		if _, err := unix.Getpeername(fd); err != unix.ENOTCONN {
			return Offer{Why: "a " + network + " socket that is connected"}
		}
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return Offer{Why: "a socket without an address: " + err.Error()}
	}
	o := Offer{Network: network}
	switch a := name.(type) {
	case *unix.SockaddrInet4:
		o.Addr = netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		ip := netip.AddrFrom16(a.Addr).Unmap()
		if a.ZoneId != 0 {
			ip = ip.WithZone(zone(int(a.ZoneId)))
		}
		o.Addr = netip.AddrPortFrom(ip, uint16(a.Port))
		only, err := unix.GetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY)
		o.Both = err == nil && only == 0 && ip.IsUnspecified()
	case *unix.SockaddrUnix:
		o.Path = a.Name
	}
	return o
}

// networkOf is the network of package net for a socket, "" for none that it listens on.
func networkOf(family, kind, protocol int) string {
	switch {
	case family == unix.AF_UNIX:
		return map[int]string{unix.SOCK_STREAM: "unix", unix.SOCK_SEQPACKET: "unixpacket", unix.SOCK_DGRAM: "unixgram"}[kind]
	case kind == unix.SOCK_STREAM && (protocol == unix.IPPROTO_TCP || protocol == unix.IPPROTO_MPTCP):
		return map[int]string{unix.AF_INET: "tcp4", unix.AF_INET6: "tcp6"}[family]
	case kind == unix.SOCK_DGRAM && protocol == unix.IPPROTO_UDP:
		return map[int]string{unix.AF_INET: "udp4", unix.AF_INET6: "udp6"}[family]
	}
	return ""
}

// startedByLess reports whether this program has privileges that its starter may lack:
// AT_SECURE of getauxval(3). Where that cannot be read it is assumed.
var startedByLess = sync.OnceValue(func() bool {
	const atSecure = 23 // <linux/auxvec.h>
	vector, err := unix.Auxv()
	if err != nil {
		return true
	}
	for _, entry := range vector {
		if entry[0] == atSecure {
			return entry[1] != 0
		}
	}
	return true
})

// inOwnNetwork reports whether a socket is known to be of the network namespace of the
// calling thread: a new socket has the same cookie (SO_NETNS_COOKIE). Before Linux 5.14
// there is none, and the kernel's lists of this namespace's sockets tell.
func inOwnNetwork(fd int, o Offer) bool {
	own, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(own)
	here, err := unix.GetsockoptUint64(own, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	if err == unix.ENOPROTOOPT {
		return listedHere(fd, o)
	}
	there, errThere := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	return err == nil && errThere == nil && here == there
}

// everyInterface reports whether a socket is known not to be bound to an interface
// (SO_BINDTODEVICE) other than that of its address's zone.
func everyInterface(fd int, o Offer) bool {
	if o.isUnix() {
		return true
	}
	device, err := unix.GetsockoptString(fd, unix.SOL_SOCKET, unix.SO_BINDTODEVICE)
	return err == nil && (device == "" || device == o.Addr.Addr().Zone())
}

// listedHere looks for the inode of a socket in /proc/net, see proc_pid_net(5).
func listedHere(fd int, o Offer) bool {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return false
	}
	list, column := strings.TrimSuffix(o.Network, "4"), 9
	if o.isUnix() {
		list, column = "unix", 6
	}
	f, err := os.Open("/proc/thread-self/net/" + list)
	if err != nil {
		return false
	}
	defer f.Close()
	inode := strconv.FormatUint(st.Ino, 10)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if words := strings.Fields(lines.Text()); len(words) > column && words[column] == inode {
			return true
		}
	}
	return false
}

// duplicate returns a copy of a descriptor. It is as blocking as the socket is:
// that is one setting for all copies.
func duplicate(fd int) (*os.File, error) {
	copied, err := copyFD(fd)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(copied), "socket"), nil
}

func copyFD(fd int) (int, error) {
	copied, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	return copied, os.NewSyscallError("fcntl", err)
}

func closeFD(fd int) { unix.Close(fd) }

// zone is the name of an interface, or its number where it has none.
func zone(index int) string {
	if i, err := net.InterfaceByIndex(index); err == nil {
		return i.Name
	}
	return strconv.Itoa(index)
}
