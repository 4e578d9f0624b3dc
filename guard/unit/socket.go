package unit

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// socketFile is the unit that holds the port.
func (s Service) socketFile() (File, error) {
	lines := []line{}
	for _, l := range []struct {
		directive string
		addresses []string
	}{{"ListenStream", s.Listen}, {"ListenDatagram", s.ListenUDP}} {
		for _, a := range l.addresses {
			value, err := socketAddress(a)
			if err != nil {
				return File{}, err
			}
			lines = append(lines, line{l.directive, value})
		}
	}
	lines = append(lines,
		line{"", "# A port alone is of IPv6 and IPv4, whatever the machine's default."}, line{"BindIPv6Only", "both"},
		line{"", "# An address need not be up when the socket is made."}, line{"FreeBind", "yes"},
		line{"Backlog", "4096"})
	return File{s.Name + ".socket", render(
		section{"Unit", []line{{"Description", text(s.Description) + " socket"}}},
		section{"Socket", lines},
		section{"Install", []line{{"WantedBy", "sockets.target"}}},
	)}, nil
}

// socketAddress writes an address as ListenStream= has it: a port alone, or
// with an IP address.
func socketAddress(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("unit: Listen: %w", err)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", fmt.Errorf("unit: Listen %q: the port is no number from 1 to 65535", address)
	}
	port = strconv.FormatUint(n, 10)
	if host == "" {
		return port, nil
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || ip.Zone() != "" {
		return "", fmt.Errorf("unit: Listen %q: the host is no IP address; systemd resolves no names", address)
	}
	return net.JoinHostPort(ip.Unmap().String(), port), nil
}
