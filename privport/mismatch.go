package privport

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
)

// A Mismatch is a socket that this process was started with for the port that was asked
// for, and that is not what was asked.
type Mismatch struct {
	Offer Offer
	Why   string // "it takes IPv6 too"
	Lines string // what a .socket unit says for one that matches: "ListenStream=0.0.0.0:80"
}

// Mismatches returns those of [Offers] that nobody has taken and that have the port of an
// address, but not its family or host. It is empty if a name cannot be resolved.
func Mismatches(ctx context.Context, network, address string) (all []Mismatch) {
	offers := Offers()
	if len(offers) == 0 {
		return nil
	}
	strict := startedByLess()
	for _, o := range offers {
		if m, ok := o.mismatch(ctx, network, address, strict); ok && !o.Taken {
			all = append(all, m)
		}
	}
	return all
}

// Mismatch reports whether a socket has the port of an address, but not its family or host, and in
// what it differs.
func (o Offer) Mismatch(ctx context.Context, network, address string) (m Mismatch, ok bool) {
	return o.mismatch(ctx, network, address, false)
}

func (o Offer) mismatch(ctx context.Context, network, address string, strict bool) (m Mismatch, ok bool) {
	w, err := wanted(ctx, network, address)
	if err != nil || w.Port == 0 {
		return m, false
	}
	w.strict = strict
	why := o.differs(w)
	return Mismatch{Offer: o, Why: why, Lines: w.unitLines()}, why != ""
}

// differs says in what a socket of the right protocol and port is not what was asked, ""
// for any other socket and for one that fits.
func (o Offer) differs(w want) string {
	if o.Network == "" || o.isUnix() || w.path != "" || !strings.HasPrefix(w.Network, o.Network[:3]) || int(o.Addr.Port()) != w.Port {
		return ""
	}
	fit, _ := o.fits(w)
	bound := o.Addr.Addr()
	host := netip.IPv6Unspecified()
	if len(w.hosts) > 0 {
		host = w.hosts[0]
	}
	switch {
	case fit == exactly, fit == partly && !w.strict:
		return ""
	case !host.IsUnspecified() && bound.IsUnspecified():
		return "it takes every address"
	case !bound.IsUnspecified() && bound != host:
		return "it takes " + bound.String() + " alone"
	case o.Both && strings.HasSuffix(w.Network, "4"):
		return "it takes IPv6 too"
	case o.Both:
		return "it takes IPv4 too"
	default:
		return "it takes IPv" + o.Network[3:] + " alone"
	}
}

// unitLines are the lines of a .socket unit for what was asked, see systemd.socket(5).
func (w want) unitLines() string {
	directive := "ListenStream="
	if strings.HasPrefix(w.Network, "udp") {
		directive = "ListenDatagram="
	}
	every := len(w.hosts) == 0 || w.hosts[0].IsUnspecified()
	switch {
	case !every:
		return directive + netip.AddrPortFrom(w.hosts[0], uint16(w.Port)).String()
	case strings.HasSuffix(w.Network, "4"):
		return fmt.Sprintf("%s0.0.0.0:%d", directive, w.Port)
	case strings.HasSuffix(w.Network, "6"):
		return fmt.Sprintf("%s[::]:%d and BindIPv6Only=ipv6-only", directive, w.Port)
	default:
		return fmt.Sprintf("%s%d and BindIPv6Only=both", directive, w.Port)
	}
}

// String says which socket differs in what, and the unit's lines that do not.
func (m Mismatch) String() string {
	return fmt.Sprintf("inherited %v is not what was asked for: %s; with %s the .socket unit passes the right one", m.Offer, m.Why, m.Lines)
}
