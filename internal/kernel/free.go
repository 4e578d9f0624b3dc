package kernel

import (
	"strings"

	"github.com/lowport/lowport/internal/facts"
)

// Free reports whether no other socket holds the port.
func Free(f *facts.Facts, g Goal) Answer {
	if g.Port == 0 { // the kernel chooses one that is free
		return Yes
	}
	all, known := f.Net.Sockets.Is()
	if !known {
		return Unknown
	}
	free := Yes
	for _, s := range all {
		free = And(free, -Conflicts(s, g))
	}
	return free
}

// Waits reports whether a socket belongs to a closed TCP connection, and to no process
// (TIME_WAIT). It keeps the port for a minute if its socket had no SO_REUSEADDR.
func Waits(s facts.Socket) bool {
	return strings.HasPrefix(s.Network, "tcp") && s.Inode == 0 && !s.Listen && !s.Bound
}

// Conflicts reports whether a socket excludes a new one for the goal. Their addresses
// have to be equal, or one of them a wildcard (inet_rcv_saddr_equal).
//
// TCP: Go sets SO_REUSEADDR on a listener, so another listener excludes it
// (inet_csk_get_port). Any other socket excludes it only if that socket has no
// SO_REUSEADDR. That cannot be seen: the answer is Unknown if the kernel said that the port
// is taken, else No.
//
// UDP: Go sets no SO_REUSEADDR, so every socket excludes it, also a connected one
// (udp_lib_get_port). For a multicast address Go sets it, and binds the wildcard.
//
// Two sockets of one user with SO_REUSEPORT share a port; that cannot be seen either.
// For "tcp" and "udp" Go makes any wildcard, also 0.0.0.0, one of both families.
func Conflicts(s facts.Socket, g Goal) Answer {
	udp := g.Protocol() == "udp"
	if !strings.HasPrefix(s.Network, g.Protocol()) || !s.Listen && !udp && !g.InUse() || int(s.Addr.Port()) != g.Port {
		return No
	}
	has, wants := s.Addr.Addr().Unmap(), g.Addr.Unmap()
	any := !wants.IsValid() || wants.IsUnspecified()
	multicast := udp && wants.IsMulticast()
	answer := Yes
	if !s.Listen && !udp || multicast || g.Control && s.UID == g.EUID && !g.InUse() {
		answer = Unknown
	}
	switch {
	case any && g.Network == g.Protocol()+"4", !any && wants.Is4():
		// IPv4: against IPv4, or an IPv6 wildcard that takes IPv4 too.
		if has.Is6() && !(has.IsUnspecified() && !s.V6Only) {
			return No
		}
		if has.Is6() && s.V6Unknown {
			answer = Unknown
		}
	case multicast && g.Network == g.Protocol():
		// An IPv6 wildcard that takes IPv4 too.
	case any && g.Network == g.Protocol()+"6", !any:
		// IPv6 only: against IPv6.
		if has.Is4() {
			return No
		}
	}
	switch {
	case any, multicast, has.IsUnspecified(), has == wants:
		return answer
	case has == wants.WithZone("") && !g.InUse(): // perhaps on another interface
		return Unknown
	case has == wants.WithZone(""):
		return answer
	}
	return No
}
