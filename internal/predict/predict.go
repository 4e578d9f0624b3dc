package predict

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/lowport/lowport/internal/ask"
	"github.com/lowport/lowport/internal/errnos"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/rules"
	"github.com/lowport/lowport/privport"
)

// Fail gives the request the error that the kernel would have answered with.
func Fail(r *ask.Request, done Outcome, at netip.Addr) {
	if done.Errno == "" {
		return
	}
	call := "bind"
	if done.Unstarted {
		call = "execve"
	}
	errno, _ := errnos.Of(done.Errno)
	r.Err = &net.OpError{Op: "listen", Net: r.Network, Addr: NetAddr(done.UDP, at, r.Target.Port), Err: os.NewSyscallError(call, errno)}
}

// NetAddr returns the address as the net package has it.
func NetAddr(udp bool, at netip.Addr, port int) net.Addr {
	if udp {
		return &net.UDPAddr{IP: at.AsSlice(), Port: port, Zone: at.Zone()}
	}
	return &net.TCPAddr{IP: at.AsSlice(), Port: port, Zone: at.Zone()}
}

// Literal is the address of the target; the zero Addr is every address. A
// recording does not know what a name stands for.
func Literal(t privport.Target) (netip.Addr, error) {
	switch t.Host {
	case "":
		return netip.Addr{}, nil
	case "localhost":
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil
	}
	a, err := netip.ParseAddr(t.Host)
	if err != nil {
		return a, &net.OpError{Op: "listen", Net: t.Network, Err: &net.DNSError{Err: "names are not recorded", Name: t.Host}}
	}
	if a = a.Unmap(); a.IsUnspecified() {
		return netip.Addr{}, nil
	}
	return a, nil
}

// Decide says how the kernel would have decided over a bind that was not tried.
func Decide(f facts.Facts, g rules.Goal) (Outcome, error) {
	o := Outcome{UDP: g.Protocol() == "udp", Addr: g.Addr, Port: g.Port, Via: privport.Plain}
	open := rules.Unprivileged(f, g.Port)
	held := rules.And(rules.Permitted(f, g.Need()), rules.Counts(f, g.Need()), rules.Granted(f, g.Need()))
	switch allowed := rules.Or(open, held); {
	case rules.Starts(f) == rules.No:
		o.Errno, o.Unstarted = "EPERM", true
	case rules.SocketErrno(f, g) != "":
		o.Errno = rules.SocketErrno(f, g)
	case rules.Policy(f, g) == rules.No:
		o.Errno = policyErrno(f, g)
	case !rules.Fit(g) && g.Addr.IsMulticast(): // and for these before all else
		o.Errno = "EINVAL"
	case g.Addr.Is4() && rules.Local(f, g) == rules.No: // inet_bind asks for the address first
		o.Errno = "EADDRNOTAVAIL"
	case allowed == rules.No:
		o.Errno = "EACCES"
	case allowed == rules.Unknown:
		return o, fmt.Errorf("the evidence does not suffice to tell whether port %d may be bound", g.Port)
	case !rules.Fit(g):
		o.Errno = "EINVAL"
	case rules.Local(f, g) == rules.No:
		o.Errno = "EADDRNOTAVAIL"
	case rules.Free(f, g) == rules.No:
		o.Errno = "EADDRINUSE"
	}
	if !errnos.Known(o.Errno) {
		return o, fmt.Errorf("what the probes were refused with is no errno of this system: %s", o.Errno)
	}
	if s, _ := f.Proc.Thread.Is(); open != rules.Yes && held == rules.Yes && !s.Effective.Contains(g.Need()) {
		o.Via = privport.Raised
	}
	return o, nil
}

// policyErrno is what the probes of the protocol were refused with.
func policyErrno(f facts.Facts, g rules.Goal) string {
	for _, p := range f.Policy.Probes.Value {
		if p.Refused() && strings.HasPrefix(p.Network, g.Protocol()) {
			return p.Errno
		}
	}
	return "EACCES"
}
