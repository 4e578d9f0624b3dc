package live

import (
	"github.com/lowport/lowport/internal/facts"
	"golang.org/x/sys/unix"
)

// probes binds a socket of each family and kind to port 0 and closes it again.
// It disturbs nobody: the kernel picks a port that is free.
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
		probe := facts.Probe{Network: p.network}
		if err := bindAny(p.family, p.kind, p.proto); err != nil {
			probe.Errno = Reason(err)
		}
		all = append(all, probe)
	}
	return all
}

func bindAny(family, kind, proto int) error {
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, proto)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if family == unix.AF_INET6 {
		return unix.Bind(fd, &unix.SockaddrInet6{})
	}
	return unix.Bind(fd, &unix.SockaddrInet4{})
}
