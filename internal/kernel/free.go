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

// Waits reports whether a socket is a closed TCP connection's, which no process has any more
// (TIME_WAIT). It keeps the port for a minute if its socket had no SO_REUSEADDR.
func Waits(s facts.Socket) bool {
	return strings.HasPrefix(s.Network, "tcp") && s.Inode == 0 && !s.Listen && !s.Bound
}

// Conflicts reports whether a socket stands in the way of a new one on the same
// address or on a wildcard of either side (inet_rcv_saddr_equal). A listener
// has SO_REUSEADDR, which Go sets, so that only another listener does
// (inet_csk_get_port), and any other socket only if it was made without, which
// cannot be seen: it may where the kernel has said that the port is taken.
// Of UDP, where Go sets none, every socket does, a connected one too
// (udp_lib_get_port); for a multicast address Go sets it, and binds the wildcard.
// Two sockets of one user that have SO_REUSEPORT share a port, which cannot be seen either.
// For "tcp" and "udp" Go makes any wildcard, 0.0.0.0 too, one of both families.
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
