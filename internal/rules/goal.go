package rules

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// A Goal is what the program asked for: a bind, or capabilities to hold.
type Goal struct {
	Network string     // as for net.Listen
	Addr    netip.Addr // the zero Addr, or an unspecified one: every address
	Port    int
	Require caps.Set // with no Network: these must be effective
	Raised  bool     // the bind was tried with the permitted capability made effective
	InUse   bool     // the kernel said EADDRINUSE
	Local   bool     // the kernel took the address: for IPv4 it asks for that before the port (__inet_bind)
}

// Need is the set of capabilities that the goal rests on.
func (g Goal) Need() caps.Set {
	if g.Network == "" {
		return g.Require
	}
	return caps.SetOf(caps.NET_BIND_SERVICE)
}

// Protocol is "tcp" or "udp".
func (g Goal) Protocol() string {
	if strings.HasPrefix(g.Network, "udp") {
		return "udp"
	}
	return "tcp"
}

// Allows says whether the goal is reached on this machine, by every rule that
// the facts show: those of [Path] for a bind.
func Allows(f facts.Facts, g Goal) Answer {
	if g.Network == "" {
		return And(Starts(f), Effective(f, g.Require), Counts(f, g.Require), Granted(f, g.Require))
	}
	return follow(Path[0].Name, f, g)
}

// Family says whether sockets of the address's family can be made: of two
// families one is enough. Facts without probes lack none.
func Family(f facts.Facts, g Goal) Answer { return of(SocketErrno(f, g) == "") }

// SocketErrno names the errno with which every socket of the goal's protocol and
// families is refused, "" where one of them can be made.
func SocketErrno(f facts.Facts, g Goal) string {
	errno := ""
	probes, _ := f.Policy.Probes.Is()
	for _, p := range probes {
		if !strings.HasPrefix(p.Network, g.Protocol()) || !g.asks(p.Network[len("tcp"):]) {
			continue
		}
		if p.Errno == "" || p.Refused() {
			return ""
		}
		errno = p.Errno
	}
	return errno
}

// Policy says whether binds that need no privilege are let through. No means that
// a policy, and not the port check, stands in the way of the address's family; of
// two families one that is let through is enough. Facts without probes show no
// policy.
func Policy(f facts.Facts, g Goal) Answer {
	probes, _ := f.Policy.Probes.Is()
	answer := Yes
	for _, p := range probes {
		if !strings.HasPrefix(p.Network, g.Protocol()) || !g.asks(p.Network[len("tcp"):]) {
			continue
		}
		if !p.Refused() {
			return Yes
		}
		answer = No
	}
	return answer
}

// asks says whether the goal is about the family "4" or "6".
func (g Goal) asks(family string) bool {
	a := g.Addr.Unmap()
	switch {
	case a.IsValid() && !a.IsUnspecified():
		return a.Is4() == (family == "4")
	case a.IsValid() && a.Is4():
		return family == "4"
	default:
		return g.Network == g.Protocol() || g.Network == g.Protocol()+family
	}
}

// Unprivileged says whether anybody may bind the port: it is not below
// net.ipv4.ip_unprivileged_port_start, which governs IPv6 too (inet_port_requires_bind_service).
// Port 0 asks for any free port, which takes no privilege (__inet_bind).
func Unprivileged(f facts.Facts, port int) Answer {
	if port == 0 {
		return Yes
	}
	return ask(f.Net.PortStart, func(start int) bool { return port >= start })
}

// Effective says whether every thread that can be seen has the whole set
// effective, and this one for certain.
func Effective(f facts.Facts, set caps.Set) Answer {
	return And(
		ask(f.Proc.Thread, func(s caps.State) bool { return s.Effective.Contains(set) }),
		ask(f.Proc.Threads, func(all map[int]caps.State) bool {
			for _, s := range all {
				if !s.Effective.Contains(set) {
					return false
				}
			}
			return true
		}))
}

// Permitted says whether the set can be made effective: what a bind needs,
// since privport raises it for the one call.
func Permitted(f facts.Facts, set caps.Set) Answer {
	return ask(f.Proc.Thread, func(s caps.State) bool { return s.Permitted.Contains(set) })
}

// Granted says whether the security modules let the thread use the set, once
// held: capable() asks them after the namespace (apparmor_capable). Of what the
// thread does not hold an AppArmor profile tells nothing; those of containers
// grant what containers may have.
func Granted(f facts.Facts, set caps.Set) Answer {
	withheld, _ := f.Policy.Withheld.Is()
	granted, _ := f.Policy.Granted.Is()
	_, confined := Profile(f)
	switch {
	case withheld&set != 0:
		return No
	case confined && f.Launcher.Container.State != facts.Known && !granted.Contains(set):
		return Unknown
	default:
		return Yes
	}
}

// Network are the capabilities that the kernel checks in the user namespace
// that owns the network namespace: ns_capable(net->user_ns, …).
var Network = caps.SetOf(caps.NET_BIND_SERVICE, caps.NET_BROADCAST, caps.NET_ADMIN, caps.NET_RAW)

// Initial are the capabilities that the kernel checks in the initial user
// namespace alone, by capable(): user_namespaces(7). Some are checked elsewhere
// for smaller things, which is not what a program has them for: SYS_NICE and
// SYS_RESOURCE for other processes of the same namespace, IPC_LOCK for shared
// memory of others, SYS_BOOT to end a pid namespace of one's own, BPF with a
// token, MAC_ADMIN in an AppArmor namespace.
var Initial = caps.SetOf(caps.SYS_MODULE, caps.SYS_RAWIO, caps.SYS_BOOT, caps.SYS_TIME, caps.SYS_TTY_CONFIG, caps.SYS_PACCT,
	caps.SYS_NICE, caps.SYS_RESOURCE, caps.IPC_LOCK, caps.LEASE, caps.BPF,
	caps.MKNOD, caps.SYSLOG, caps.AUDIT_CONTROL, caps.AUDIT_READ, caps.AUDIT_WRITE, caps.MAC_ADMIN, caps.MAC_OVERRIDE,
	caps.WAKE_ALARM, caps.BLOCK_SUSPEND, caps.LINUX_IMMUTABLE, caps.PERFMON)

// Counts says whether the set, once held, is asked for in a user namespace
// where it counts.
func Counts(f facts.Facts, set caps.Set) Answer {
	here := Yes
	if set&Network != 0 {
		here = ask(f.Net.Owner, func(o facts.Owner) bool { return o != facts.OwnerOutside })
		if here == Unknown && InInitial(f) == Yes {
			here = Yes // nothing is outside the initial user namespace
		}
	}
	if set&Initial != 0 {
		here = And(here, InInitial(f))
	}
	return here
}

// InInitial says whether this is the initial user namespace. One that maps
// every id to itself is told by its inode alone.
func InInitial(f facts.Facts) Answer {
	if f.Net.UserNS.State == facts.Known {
		return of(f.Net.UserNS.Value == facts.InitialUserNS)
	}
	if m, ok := f.Net.UIDMap.Is(); ok && m != facts.WholeMap {
		return No
	}
	return Unknown
}

// Local says whether the address is one of this machine's that can be bound
// (inet_addr_valid_or_nonlocal, ipv6_chk_addr), or may be bound without.
func Local(f facts.Facts, g Goal) Answer {
	if !Fit(g) {
		return No
	}
	if g.Local || !g.Addr.IsValid() || g.Addr.IsUnspecified() || g.Addr.Is4() && g.Addr.IsLoopback() || g.Addr.IsMulticast() {
		return Yes
	}
	has := func(all []netip.Addr) bool { return slices.Contains(all, g.Addr.WithZone("").Unmap()) }
	nonlocal, here := f.Net.Nonlocal, ask(f.Net.Addresses, has)
	if !g.Addr.Is4() {
		nonlocal, here = f.Net.Nonlocal6, And(here, ask(f.Net.Tentative, func(all []netip.Addr) bool { return !has(all) }))
	}
	return Or(ask(nonlocal, func(on bool) bool { return on }), here)
}

// Fit says whether a socket can have the address at all. The kernel takes of
// IPv6 no multicast one for TCP, and a link-local one only with its zone
// (__inet6_bind); of IPv4 it takes multicast ones. For UDP Go binds a wildcard
// in the place of a multicast address.
func Fit(g Goal) bool {
	a := g.Addr
	switch {
	case !a.Is6():
		return true
	case a.IsMulticast():
		return g.Protocol() == "udp"
	default:
		return !a.IsLinkLocalUnicast() || a.Zone() != ""
	}
}

// Free says whether no other socket holds the port. Where the kernel says that
// it is taken, one that may stand in the way does.
func Free(f facts.Facts, g Goal) Answer {
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
	if free == Unknown && g.InUse {
		return No
	}
	return free
}

// Conflicts says whether a socket stands in the way of a new one on the same
// address or on a wildcard of either side (inet_rcv_saddr_equal). A listener
// has SO_REUSEADDR, which Go sets, so that only another listener does
// (inet_csk_get_port), and any other socket only if it was made without, which
// cannot be seen: it may where the kernel has said that the port is taken.
// Of UDP, where Go sets none, every socket does, a connected one too
// (udp_lib_get_port); for a multicast address Go sets it, and binds the wildcard.
// For "tcp" and "udp" Go makes any wildcard, 0.0.0.0 too, one of both families.
func Conflicts(s facts.Socket, g Goal) Answer {
	udp := g.Protocol() == "udp"
	if !strings.HasPrefix(s.Network, g.Protocol()) || !s.Listen && !udp && !g.InUse || int(s.Addr.Port()) != g.Port {
		return No
	}
	has, wants := s.Addr.Addr().Unmap(), g.Addr.Unmap()
	any := !wants.IsValid() || wants.IsUnspecified()
	multicast := udp && wants.IsMulticast()
	answer := Yes
	if !s.Listen && !udp || multicast {
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
	if any || multicast || has.IsUnspecified() || has == wants {
		return answer
	}
	return No
}
