package guard

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/remedy"
	"github.com/lowport/lowport/privport"
)

// malformed reports an address that the kernel was never asked for.
func malformed(subject string, r request) Report {
	g := kernel.Goal{Network: r.network}
	return refusal(subject, "listen "+r.String()+": malformed address", r.err, kernel.Explain(&facts.Facts{}, g, r.err), facts.Facts{})
}

// ports are those of the binds that failed.
func ports(failed []request) []int {
	var ports []int
	for _, f := range failed {
		if !slices.Contains(ports, f.target.Port) {
			ports = append(ports, f.target.Port)
		}
	}
	return ports
}

// refusals explains all binds that failed on a machine in one report.
func refusals(subject string, failed []request, f facts.Facts) Report {
	var cases []remedy.Case
	var found []kernel.Finding
	for _, r := range failed {
		g := r.refused()
		told := kernel.Finding{}
		if unsure := (*untold)(nil); errors.As(r.err, &unsure) {
			told = kernel.Untold(&f, g, unsure.why)
		} else {
			told = kernel.Explain(&f, g, r.err)
		}
		found = append(found, told)
		cases = append(cases, remedy.Case{Goal: g, Worlds: told.Worlds})
	}
	headline := "listen " + list(failed)
	var errno syscall.Errno
	if errors.As(failed[0].err, &errno) {
		for _, r := range failed {
			if !errors.Is(r.err, errno) {
				headline = "listen " + failed[0].String() // the others failed otherwise
			}
		}
		headline += ": " + errno.Error()
	} else if unsure := (*untold)(nil); errors.As(failed[0].err, &unsure) {
		headline += ": could not tell"
	}
	r := refusal(subject, headline, failed[0].err, kernel.Join(found...), f, cases...)
	shows(&r, f, cases[0])
	return r
}

// refused is what the request asked the kernel for, and how it was refused.
func (r request) refused() kernel.Goal {
	g := r.goal
	if g.Network == "" {
		g = kernel.Goal{Network: r.network, Port: r.target.Port, Addr: refusedAddr(r.err), Raises: true, MPTCP: r.mptcp}
	}
	g.Refused = kernel.RefusalOf(r.err)
	g.Refused.Raised = r.how.Via == privport.Raised
	var unraised *privport.RaiseError
	if errors.As(r.how.Unraised, &unraised) {
		errors.As(unraised.Err, &g.Refused.Capset)
	}
	return g
}

// refusedAddr is the address that the kernel was asked for.
func refusedAddr(err error) netip.Addr {
	var op *net.OpError
	if !errors.As(err, &op) {
		return netip.Addr{}
	}
	var ip net.IP
	var zone string
	switch a := op.Addr.(type) {
	case *net.TCPAddr:
		if a != nil {
			ip, zone = a.IP, a.Zone
		}
	case *net.UDPAddr:
		if a != nil {
			ip, zone = a.IP, a.Zone
		}
	}
	addr, _ := netip.AddrFromSlice(ip)
	return addr.Unmap().WithZone(zone)
}
