package kernel

import (
	"errors"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/errnos"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/privport"
)

// A Goal is what the program asked for, a bind or capabilities to hold, and what
// the kernel answered.
type Goal struct {
	Network string     // as for net.Listen; "" for no bind
	Addr    netip.Addr // the zero Addr, or an unspecified one: every address
	Port    int
	Require caps.Set // with no Network: these must be effective
	Raises  bool     // the program makes what is permitted effective for the bind, as package guard does
	Inherit bool     // the program takes the sockets that systemd passes, as package guard does
	Takes   bool     // a bind to port 0 has shown that the address can be bound here
	MPTCP   bool     // an MPTCP socket is tried before the TCP one, as net.Listen does since Go 1.24
	Control bool     // the program sets the socket up itself, perhaps with SO_REUSEPORT
	EUID    uint32   // the effective user: sockets of one user may share a port by SO_REUSEPORT

	Refused Refusal // how the last attempt failed; zero where nothing was tried
}

// A Refusal is the kernel's answer to the last attempt.
type Refusal struct {
	Errno  syscall.Errno
	Call   string        // "socket", "bind", "listen"; "setsockopt" or "control" in Control; "option": package net's setsockopt
	Raised bool          // the capability was effective in the last attempt
	Capset syscall.Errno // why the capability could not be made effective; 0 if it could, or that was not tried
}

// Of adds to the goal what the facts say of the process: its user, and whether it can raise
// capabilities at all. If capget(2) is refused, raising fails before capset(2) is called.
func (g Goal) Of(f *facts.Facts) Goal {
	g.EUID = f.Proc.IDs.Value.EUID
	if g.Raises && f.Policy.Granted.State == facts.Unreadable && g.Refused.Capset == 0 {
		g.Refused.Capset, _ = errnos.Of(f.Policy.Granted.Reason) // 0 for no errno
	}
	return g
}

// setup reports whether the program's own setup of the socket failed, before the bind was tried.
func (r Refusal) setup() bool { return r.Call == "control" || r.Call == "setsockopt" }

// RefusalOf takes the error of a listen apart. What came from the program's Control function
// has the Call "setsockopt" or "control": what is marked so, and an errno that is not the answer
// to a system call that a listen makes.
func RefusalOf(err error) (r Refusal) {
	var own *privport.ControlError
	var call *os.SyscallError
	isOwn := errors.As(err, &own)
	switch {
	case !errors.As(err, &r.Errno) && !isOwn:
		return r
	case !errors.As(err, &call):
		r.Call = "control"
	case call.Syscall == "setsockopt", !isOwn && slices.Contains([]string{"socket", "bind", "listen", "execve"}, call.Syscall):
		r.Call = call.Syscall
	default:
		r.Call = "control"
	}
	return r
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

// any reports whether the goal is a wildcard: every address of its families.
func (g Goal) any() bool { return !g.Addr.IsValid() || g.Addr.IsUnspecified() }

// v4 reports whether the kernel goes through inet_bind, and not through
// inet6_bind. For "tcp" and "udp" Go makes any wildcard one of both families.
func (g Goal) v4() bool {
	if g.any() {
		return g.Network == g.Protocol()+"4"
	}
	return g.Addr.Unmap().Is4()
}

// early reports whether the kernel refuses a bad address before it checks the port. For IPv6
// it does so only for a multicast address, which TCP cannot have (__inet6_bind).
func (g Goal) early() bool { return g.v4() || g.Addr.IsMulticast() && !Fit(g) }

// asks reports whether the goal is about the family "4" or "6". A wildcard of either
// family is about both, unless the network names one.
func (g Goal) asks(family string) bool {
	switch {
	case g.Network != g.Protocol():
		return g.Network == g.Protocol()+family
	case g.any():
		return true
	default:
		return g.Addr.Unmap().Is4() == (family == "4")
	}
}

// Threshold reports whether the port is unprivileged by the kernel's default, so that
// only a raised threshold protects it.
func (g Goal) Threshold() bool { return g.Network != "" && g.Port >= defaultPortStart }

// An attempt is one socket that package net makes for a goal and binds.
type attempt struct{ mptcp bool }

// attempts lists the attempts for a goal, in their order. A goal is refused if each of them is.
func (g Goal) attempts() []attempt {
	if g.MPTCP && g.Protocol() == "tcp" {
		return both
	}
	return both[1:]
}

var both = []attempt{{mptcp: true}, {}}

// asksAs reports whether a probe asks what the attempt asks: a bind that needs no privilege
// in one of the families of the goal.
func (a attempt) asksAs(network string, g Goal) bool {
	kind, mptcp := strings.CutPrefix(network, "mp")
	family, ok := strings.CutPrefix(kind, g.Protocol())
	return ok && mptcp == a.mptcp && g.asks(family)
}

// InUse reports whether the kernel said that the port is taken.
func (g Goal) InUse() bool { return g.Refused.Errno == syscall.EADDRINUSE }

// Retried returns the goal as it is before another try. A failed setup of the socket and a
// refused raise stay in it, since they would fail again.
func (g Goal) Retried() Goal {
	was := g.Refused
	g.Refused = Refusal{Capset: was.Capset}
	if was.setup() {
		g.Refused.Call = was.Call
	}
	return g
}
