package privport

import (
	"context"
	"net/netip"
)

// An Offer is a socket that a program will be started with, as by a systemd
// .socket unit.
type Offer struct {
	Name    string         // FileDescriptorName=, "" for none
	Network string         // "tcp4", "tcp6", "udp4" or "udp6"
	Addr    netip.AddrPort // where it is bound
	Both    bool           // an IPv6 socket that takes IPv4 too
}

// Choose returns the index of the offered socket that [Listen] or [ListenPacket]
// would take for an address, -1 for none, and the note that it would make about
// it.
func Choose(ctx context.Context, network, address string, offers []Offer) (index int, note string) {
	w, err := wanted(ctx, network, address)
	if err != nil {
		return -1, ""
	}
	var all []*socket
	for i, o := range offers {
		all = append(all, &socket{fd: i, name: o.Name, network: o.Network, addr: o.Addr, both: o.Both})
	}
	s, note := best(all, w)
	if s == nil {
		return -1, ""
	}
	return s.fd, note
}
