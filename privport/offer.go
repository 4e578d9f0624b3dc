package privport

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
)

// An Offer is a socket that a program is started with, as by a systemd .socket unit
// (sd_listen_fds(3)).
type Offer struct {
	// Name is the FileDescriptorName= of systemd.socket(5), which is the name of the
	// unit, "app.socket", unless the unit says otherwise; "" for none.
	Name string

	// Network is "tcp4", "tcp6", "udp4", "udp6", "unix", "unixpacket" or "unixgram";
	// "" for what Listen cannot take. Why says then what it is instead.
	Network string
	Why     string

	Addr netip.AddrPort // where it is bound
	Both bool           // an IPv6 socket that takes IPv4 too
	Path string         // of a unix socket; "@" stands for the first byte of an abstract one

	FD    int  // its descriptor, where this process was started with it
	Taken bool // Listen or ListenPacket has returned it
}

// Offers returns the sockets that this process was started with, in their order. A
// program that wants one by its name asks for its address, see [Offer.Asks].
func Offers() []Offer {
	take()
	given.Lock()
	defer given.Unlock()
	var all []Offer
	for _, s := range given.sockets {
		all = append(all, s.Offer)
	}
	return all
}

// Asks returns the network and the address for which [Listen] or [ListenPacket] takes
// exactly this socket.
func (o Offer) Asks() (network, address string) {
	switch {
	case o.Network == "":
		return "", ""
	case o.isUnix():
		return o.Network, o.Path
	case o.Both:
		return o.Network[:3], o.Addr.String()
	default:
		return o.Network, o.Addr.String()
	}
}

func (o Offer) isUnix() bool { return o.Network != "" && o.Network[:3] == "uni" }

// String returns the network, the address and the name, or what it is instead of a
// socket that Listen can take.
func (o Offer) String() string {
	network, address := o.Asks()
	text := network + " " + address
	if o.Network == "" {
		text = "descriptor " + strconv.Itoa(o.FD) + ", " + o.Why
	}
	if o.Name != "" {
		text += fmt.Sprintf(" (named %q)", o.Name)
	}
	return text
}

// Choose returns the index of the offered socket that [Listen] or [ListenPacket]
// would take for an address, -1 for none, and the note that it would make about
// it.
func Choose(ctx context.Context, network, address string, offers []Offer) (index int, note string) {
	w, err := wanted(ctx, network, address)
	if err != nil {
		return -1, ""
	}
	return choose(len(offers), func(i int) Offer { return offers[i] }, w)
}
