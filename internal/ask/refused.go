package ask

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/remedy"
	"github.com/lowport/lowport/privport"
)

// Malformed returns the report on an address for which the kernel was never asked.
func Malformed(subject string, r Request) report.Report {
	g := kernel.Goal{Network: r.Network}
	return Refusal(subject, "listen "+r.String()+": malformed address", r.Err, kernel.Explain(&facts.Facts{}, g, r.Err), facts.Facts{})
}

// Ports returns the ports of the binds that failed. Port 0, any free port, is none.
func Ports(failed []Request) []int {
	var ports []int
	for _, f := range failed {
		if port := f.Target.Port; port != 0 && !slices.Contains(ports, port) {
			ports = append(ports, port)
		}
	}
	return ports
}

// refusals explains all binds that failed on a machine in one report.
func refusals(subject string, failed []Request, f facts.Facts) report.Report {
	var cases []remedy.Case
	var found []kernel.Finding
	for _, r := range failed {
		g := r.refused().Of(&f)
		told := kernel.Finding{}
		switch unsure := (*Untold)(nil); {
		case errors.As(r.Err, &unsure):
			told = kernel.Untold(&f, g, unsure.Why)
		case r.Clash != "":
			told = r.clash()
		default:
			told = kernel.Explain(&f, g, r.Err)
		}
		found = append(found, told)
		cases = append(cases, remedy.Case{Goal: g, Worlds: told.Worlds})
	}
	headline := "listen " + List(failed)
	var errno syscall.Errno
	if errors.As(failed[0].Err, &errno) {
		for _, r := range failed {
			if !errors.Is(r.Err, errno) {
				headline = "listen " + failed[0].String() // the others failed otherwise
			}
		}
		headline += ": " + errno.Error()
	} else if unsure := (*Untold)(nil); errors.As(failed[0].Err, &unsure) {
		headline += ": could not tell"
	}
	r := Refusal(subject, headline, failed[0].Err, kernel.Join(found...), f, cases...)
	shows(&r, f, cases[0])
	return r
}

// refused returns what the request asked the kernel for, and how the kernel refused.
func (r Request) refused() kernel.Goal {
	g := r.Goal
	if g.Network == "" {
		g = kernel.Goal{
			Network: r.Network, Port: r.Target.Port, Addr: RefusedAddr(r.Err),
			Raises: !r.Foreign, Inherit: !r.Foreign, MPTCP: r.MPTCP, Control: r.Control,
		}
	}
	g.Refused = r.Refused()
	return g
}

// Refused returns how the kernel refused the request.
func (r Request) Refused() kernel.Refusal {
	refused := kernel.RefusalOf(r.Err)
	if refused.Call == "setsockopt" && !r.Foreign && !errors.As(r.Err, new(*privport.ControlError)) {
		refused.Call = "option" // Control's own errors are marked
	}
	refused.Raised = r.How.Via == privport.Raised
	var unraised *privport.RaiseError
	if errors.As(r.How.Unraised, &unraised) {
		errors.As(unraised.Err, &refused.Capset)
	}
	return refused
}

// RefusedAddr returns the address for which the kernel was asked.
func RefusedAddr(err error) netip.Addr {
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

// Untold is the error of what cannot be told.
type Untold struct{ Why string }

func (e *Untold) Error() string { return "could not tell: " + e.Why }
