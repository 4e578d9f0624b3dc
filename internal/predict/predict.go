package predict

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/ask"
	"github.com/lowport/lowport/internal/errnos"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/privport"
)

// Fail gives the request the error that the kernel would have returned.
func Fail(r *ask.Request, done Outcome, at netip.Addr) {
	if done.Errno == "" {
		return
	}
	call := cmp.Or(done.Call, "bind")
	if done.Unstarted {
		call = "execve"
	}
	errno, _ := errnos.Of(done.Errno)
	var refused error
	switch call {
	case "control": // whose error is its own
		refused = &privport.ControlError{Err: errno}
	case "setsockopt":
		refused = &privport.ControlError{Err: os.NewSyscallError(call, errno)}
	case "option":
		refused = os.NewSyscallError("setsockopt", errno)
	default:
		refused = os.NewSyscallError(call, errno)
	}
	r.Err = &net.OpError{Op: "listen", Net: r.Network, Addr: NetAddr(done.UDP, at, r.Target.Port), Err: refused}
	if capset, ok := errnos.Of(done.Capset); ok {
		r.How.Unraised = &privport.RaiseError{Set: caps.SetOf(caps.NET_BIND_SERVICE), Err: os.NewSyscallError("capset", capset)}
	}
}

// NetAddr returns the address as the net package has it.
func NetAddr(udp bool, at netip.Addr, port int) net.Addr {
	if udp {
		return &net.UDPAddr{IP: at.AsSlice(), Port: port, Zone: at.Zone()}
	}
	return &net.TCPAddr{IP: at.AsSlice(), Port: port, Zone: at.Zone()}
}

// Literal returns the address of the target; the zero Addr stands for every address. A name
// is an error, since a recording does not resolve names.
func Literal(t privport.Target) (netip.Addr, error) {
	switch t.Host {
	case "":
		return netip.Addr{}, nil
	case "localhost":
		if strings.HasSuffix(t.Network, "6") {
			return netip.IPv6Loopback(), nil
		}
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

// Decide predicts the outcome of a bind that was not tried.
func Decide(f *facts.Facts, g kernel.Goal) (Outcome, error) {
	done, err := kernel.Predict(kernel.Worlds(f, g), g)
	o := Outcome{UDP: g.Protocol() == "udp", Addr: g.Addr, Port: g.Port, Via: privport.Plain, Errno: done.Errno, Call: done.Call, Unstarted: !done.Executed}
	if done.Raised {
		o.Via = privport.Raised
	}
	if err == nil && !errnos.Known(o.Errno) {
		err = fmt.Errorf("what the probes were refused with is no errno of this system: %s", o.Errno)
	}
	return o, err
}

// TriesMPTCP reports whether the program tried MPTCP first: it was probed then.
func TriesMPTCP(f *facts.Facts) bool {
	return slices.ContainsFunc(f.Policy.Probes.Value, func(p facts.Probe) bool { return strings.HasPrefix(p.Network, "mptcp") })
}
