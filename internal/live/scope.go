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

// A scope is what of a machine is read: what the gates on the way of some binds ask.
type scope struct {
	ports     []int    // whose sockets are looked for
	protocols []string // of these sockets: "tcp", "udp"
	addresses bool     // whether those of this machine are looked for
}

// scopeOf is the scope of binds. Every address, and the loopback network of IPv4, is on
// every machine (inet_addr_valid_or_nonlocal).
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
