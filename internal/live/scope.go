package live

import (
	"net/netip"
	"slices"
	"strings"
)

// A Bind is an address that a program asked for.
type Bind struct {
	Network string     // as for net.Listen
	Addr    netip.Addr // the zero Addr, or an unspecified one: every address
	Port    int
}

// A scope says what to read of the network: what the gates of some binds ask about.
type scope struct {
	ports     []int    // whose sockets to look for
	protocols []string // of these sockets: "tcp", "udp"
	addresses bool     // whether to read the addresses of this machine
}

// scopeOf returns the scope of binds. A wildcard and the loopback network of IPv4 can be bound on
// every machine (inet_addr_valid_or_nonlocal), so for these no addresses are read.
func scopeOf(binds []Bind) (s scope) {
	for _, b := range binds {
		if !slices.Contains(s.ports, b.Port) {
			s.ports = append(s.ports, b.Port)
		}
		protocol := strings.TrimRight(b.Network, "46")
		if !slices.Contains(s.protocols, protocol) {
			s.protocols = append(s.protocols, protocol)
		}
		everywhere := !b.Addr.IsValid() || b.Addr.IsUnspecified() || b.Addr.Is4() && b.Addr.IsLoopback()
		s.addresses = s.addresses || !everywhere
	}
	return s
}
