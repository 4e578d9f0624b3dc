package ask

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/explain"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/rules"
	"github.com/lowport/lowport/privport"
)

// Malformed reports an address that the kernel was never asked for.
func Malformed(subject string, r Request) report.Report {
	g := rules.Goal{Network: r.Network}
	return Refusal(subject, "listen "+r.String()+": malformed address", r.Err, explain.Bind(facts.Facts{}, g, r.Err), facts.Facts{}, g)
}

// Ports are those of the binds that failed.
func Ports(failed []Request) []int {
	var ports []int
	for _, f := range failed {
		if !slices.Contains(ports, f.Target.Port) {
			ports = append(ports, f.Target.Port)
		}
	}
	return ports
}

// refusals explains all binds that failed on a machine in one report.
func refusals(subject string, failed []Request, f facts.Facts) report.Report {
	var goals []rules.Goal
	var found []explain.Finding
	for _, r := range failed {
		g := rules.Goal{Network: r.Network, Port: r.Target.Port, Addr: RefusedAddr(r.Err), Raised: r.How.Via == privport.Raised, InUse: errors.Is(r.Err, syscall.EADDRINUSE)}
		g.Local = g.Addr.Is4() && errors.Is(r.Err, syscall.EACCES)
		goals = append(goals, g)
		if unsure := (*Untold)(nil); errors.As(r.Err, &unsure) {
			found = append(found, explain.Untold(f, g, unsure.Why))
		} else {
			found = append(found, explain.Bind(f, g, r.Err))
		}
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
	r := Refusal(subject, headline, failed[0].Err, explain.Join(found...), f, goals...)
	shows(&r, f, goals[0])
	return r
}

// RefusedAddr is the address that the kernel was asked for.
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
