package live

import (
	"net"
	"strings"
	"unsafe"

	"github.com/lowport/lowport/internal/facts"
	"golang.org/x/sys/unix"
)

// probes binds a socket of each family and kind to port 0 and closes it again.
// It disturbs nobody: the kernel picks a port that is free. MPTCP is left out where
// package net does not try it by itself: see its documentation, "GODEBUG=multipathtcp=0".
func probes() []facts.Probe {
	all := []facts.Probe{}
	for _, p := range []struct {
		network             string
		family, kind, proto int
	}{
		{"tcp4", unix.AF_INET, unix.SOCK_STREAM, 0}, {"tcp6", unix.AF_INET6, unix.SOCK_STREAM, 0},
		{"mptcp4", unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP}, {"mptcp6", unix.AF_INET6, unix.SOCK_STREAM, unix.IPPROTO_MPTCP},
		{"udp4", unix.AF_INET, unix.SOCK_DGRAM, 0}, {"udp6", unix.AF_INET6, unix.SOCK_DGRAM, 0},
	} {
		if strings.HasPrefix(p.network, "mptcp") && !new(net.ListenConfig).MultipathTCP() {
			continue
		}
		probe := facts.Probe{Network: p.network}
		when, err := bindAny(p.family, p.kind, p.proto)
		if probe.When = when; err != nil {
			probe.Errno = Reason(err)
		}
		all = append(all, probe)
	}
	return all
}

// bindAny binds a socket to port 0. Where that is refused it says when.
func bindAny(family, kind, proto int) (facts.When, error) {
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, proto)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	var at unix.Sockaddr = &unix.SockaddrInet4{}
	if family == unix.AF_INET6 {
		at = &unix.SockaddrInet6{}
	}
	if err = unix.Bind(fd, at); err == nil {
		return "", nil
	}
	return when(fd, family), err
}

// when says where on its way a refused bind ends, by one to an address of the other family:
// the kernel answers it EAFNOSUPPORT before it looks at the address and the port, and behind
// every policy but those that look at a bound socket (__inet_bind, __inet6_bind).
func when(fd, family int) facts.When {
	other := unix.RawSockaddrInet6{Family: unix.AF_INET6 + unix.AF_INET - uint16(family)} // long enough for either
	_, _, errno := unix.Syscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&other)), unsafe.Sizeof(other))
	switch errno {
	case 0:
		return ""
	case unix.EAFNOSUPPORT:
		return facts.AfterPort
	}
	return facts.BeforePort
}
