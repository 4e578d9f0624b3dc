package privport

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// A want is an address to listen on, with the addresses of its host.
type want struct {
	Target
	path   string       // of a unix socket
	name   string       // the port as it was written, "443" or "https"
	hosts  []netip.Addr // of a host that is not empty
	strict bool         // only a socket bound as a bind here would be
}

func wanted(ctx context.Context, network, address string) (want, error) {
	if strings.HasPrefix(network, "unix") {
		return want{Target: Target{Network: network}, path: address}, nil
	}
	t, err := Parse(ctx, network, address)
	if err != nil {
		return want{}, err
	}
	_, name, err := net.SplitHostPort(address)
	w := want{Target: t, name: name}
	if t.Host == "" || err != nil {
		return w, err
	}
	if ip, err := netip.ParseAddr(t.Host); err == nil {
		w.hosts = []netip.Addr{ip.Unmap()}
		return w, nil
	}
	w.hosts, err = net.DefaultResolver.LookupNetIP(ctx, "ip", t.Host)
	for i := range w.hosts {
		w.hosts[i] = w.hosts[i].Unmap()
	}
	return w, err
}

// choose returns the index of the socket that fits, -1 for none, and what is to be said
// about it. One bound as asked goes before one that takes fewer addresses. Of equals
// one that nobody has taken goes first, then one that has the port for its name.
func choose(n int, offer func(i int) Offer, w want) (index int, note string) {
	index = -1
	best := 0
	for i := range n {
		o := offer(i)
		fit, say := o.fits(w)
		if fit == not || fit == partly && w.strict {
			continue
		}
		rank := fit * 4
		if !o.Taken {
			rank += 2
		}
		if o.Name != "" && o.Name == w.name {
			rank++
		}
		if rank > best {
			index, note, best = i, say, rank
		}
	}
	return index, note
}

// How well a socket fits.
const (
	not     = iota
	partly  // one family of the two that were asked for
	exactly // bound as a bind here would
)

// fits says how well a socket is what was asked. One that takes more than was
// asked does not fit: what is meant for the loopback stays there.
func (o Offer) fits(w want) (fit int, note string) {
	if o.isUnix() {
		if o.Network == w.Network && o.Path == w.path && w.path != "" {
			return exactly, ""
		}
		return not, ""
	}
	if o.Network == "" || !strings.HasPrefix(w.Network, o.Network[:3]) || w.Port == 0 || int(o.Addr.Port()) != w.Port {
		return not, ""
	}
	if len(w.hosts) == 0 {
		return o.fitsHost(w, netip.IPv6Unspecified())
	}
	for _, host := range w.hosts {
		if fit, note = o.fitsHost(w, host); fit != not {
			break
		}
	}
	return fit, note
}

// fitsHost is fits of the right protocol and port, for one address of the host.
func (o Offer) fitsHost(w want, host netip.Addr) (fit int, note string) {
	bound := o.Addr.Addr()
	anyFamily := w.Network == o.Network[:3]
	switch {
	case !host.IsUnspecified():
		if bound == host && (anyFamily || o.Network == w.Network) {
			return exactly, ""
		}
		return not, ""
	case !bound.IsUnspecified():
		return not, ""
	case o.Network == w.Network && !o.Both, anyFamily && o.Both, anyFamily && host.Is4() && bound.Is4():
		return exactly, ""
	case !anyFamily:
		return not, ""
	case bound.Is4():
		return partly, onlyIPv4(w.Port, o.Addr, "the inherited socket is an IPv4 one")
	default:
		return partly, fmt.Sprintf("asked for every address of port %d, got only the IPv6 ones (%v): "+
			"the inherited socket has IPV6_V6ONLY", w.Port, o.Addr)
	}
}
