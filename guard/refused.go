package guard

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"github.com/lowport/lowport/internal/explain"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/rules"
	"github.com/lowport/lowport/privport"
)

// malformed reports an address that the kernel was never asked for.
func malformed(subject string, r request) Report {
	g := rules.Goal{Network: r.network}
	return refusal(subject, "listen "+r.String()+": malformed address", r.err, explain.Bind(facts.Facts{}, g, r.err), facts.Facts{}, g)
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
	var goals []rules.Goal
	var found []explain.Finding
	for _, r := range failed {
		g := rules.Goal{Network: r.network, Port: r.target.Port, Addr: refusedAddr(r.err), Raised: r.how.Via == privport.Raised, InUse: errors.Is(r.err, syscall.EADDRINUSE)}
		g.Local = g.Addr.Is4() && errors.Is(r.err, syscall.EACCES)
		goals = append(goals, g)
		if unsure := (*untold)(nil); errors.As(r.err, &unsure) {
			found = append(found, explain.Untold(f, g, unsure.why))
		} else {
			found = append(found, explain.Bind(f, g, r.err))
		}
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
	r := refusal(subject, headline, failed[0].err, explain.Join(found...), f, goals...)
	shows(&r, f, goals[0])
	return r
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
