package live

import (
	"errors"
	"net"
	"slices"
	"strings"
	"unsafe"

	"github.com/lowport/lowport/internal/facts"
	"golang.org/x/sys/unix"
)

// probesFor probes the protocols. If a probe is refused it probes the other protocol too: what
// a policy allows helps to tell which policy it is.
func probesFor(protocols []string) []facts.Probe {
	all := probes(protocols)
	if slices.ContainsFunc(all, func(p facts.Probe) bool { return p.Errno != "" }) {
		all = append(all, probes(slices.DeleteFunc([]string{"tcp", "udp"}, func(p string) bool { return slices.Contains(protocols, p) }))...)
	}
	return all
}

// probes binds a socket of each family and kind of the protocols, "tcp" and "udp", to port 0
// and closes it again. It disturbs nobody: the kernel picks a free port. It leaves out MPTCP
// if package net does not try that by itself, as with GODEBUG=multipathtcp=0.
func probes(protocols []string) []facts.Probe {
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
		protocol := "tcp"
		if p.kind == unix.SOCK_DGRAM {
			protocol = "udp"
		}
		if !slices.Contains(protocols, protocol) {
			continue
		}
		probe := facts.Probe{Network: p.network}
		if err := bindAny(&probe, p.family, p.kind, p.proto); err != nil {
			probe.Errno = Reason(err)
		}
		all = append(all, probe)
	}
	return all
}

// bindAny binds a socket to port 0. Where that is refused it notes when, and by what.
func bindAny(probe *facts.Probe, family, kind, proto int) error {
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, proto)
	if err != nil {
		_, absurd := unix.Socket(family, kind|noFlag|unix.SOCK_CLOEXEC, proto)
		probe.By = by(err, absurd)
		return err
	}
	defer unix.Close(fd)
	var at unix.Sockaddr = &unix.SockaddrInet4{}
	if family == unix.AF_INET6 {
		at = &unix.SockaddrInet6{}
	}
	if err = unix.Bind(fd, at); err == nil {
		return nil
	}
	_, _, absurd := unix.Syscall(unix.SYS_BIND, uintptr(fd), 0, tooLong)
	probe.When, probe.By = when(fd, family), by(err, absurd)
	if err == unix.EADDRINUSE && probe.By == facts.ByKernel { // connections have every port of ip_local_port_range
		probe.When, probe.By, err = "", "", nil
	}
	return err
}

// portProbes asks the security modules for each port, if one of them refused a probe of TCP. It
// asks for none if a bind to an address that is not here would succeed.
func portProbes(probes []facts.Probe, ports []int) ([]facts.PortProbe, error) {
	all := []facts.PortProbe{}
	refused := slices.ContainsFunc(probes, func(p facts.Probe) bool {
		return strings.HasPrefix(p.Network, "tcp") && p.By == facts.ByKernel && p.Refused()
	})
	if !refused {
		return all, nil
	}
	switch nonlocal, err := readPath("/proc/sys/net/ipv4/ip_nonlocal_bind"); {
	case err != nil:
		return nil, err
	case strings.TrimSpace(string(nonlocal)) != "0":
		return nil, errors.New("ip_nonlocal_bind is on")
	}
	for _, port := range ports {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return nil, err
		}
		err = unix.Bind(fd, &unix.SockaddrInet4{Addr: noMachine, Port: port})
		unix.Close(fd)
		if err == nil {
			return nil, errors.New("the address that no machine has could be bound")
		}
		all = append(all, facts.PortProbe{Port: port, Errno: Reason(err)})
	}
	return all, nil
}

// noMachine is an address of 240.0.0.0/4, which is reserved (RFC 1112).
var noMachine = [4]byte{240, 0, 0, 1}

const (
	noFlag  = 0x10    // no flag of a socket: __sys_socket. A filter may look at the kind, which is the same
	tooLong = 1 << 12 // no address has so many bytes: move_addr_to_kernel
)

// by tells a filter from what the kernel asks behind it. absurd is the answer to a call with
// invalid arguments: the kernel answers EINVAL before it asks a security module or a BPF
// program, but a filter answers as before.
func by(refused, absurd error) facts.By {
	switch {
	case refused == unix.EINVAL:
		return ""
	case absurd == refused:
		return facts.ByFilter
	case absurd == unix.EINVAL:
		return facts.ByKernel
	}
	return ""
}

// when tells whether a policy refuses a bind before or after the kernel checks the address and
// the port. It binds to an address of the other family: the kernel answers EAFNOSUPPORT
// after all policies but those that look at a bound socket (__inet_bind, __inet6_bind).
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
