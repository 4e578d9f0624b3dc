package ask

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/exit"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
)

// clashes notes which of the requests before it has the port that this one was refused. Their
// sockets are open until all were tried.
func (r *Request) clashes(before []Request) {
	if !errors.Is(r.Err, syscall.EADDRINUSE) {
		return
	}
	g := kernel.Goal{Network: r.Network, Addr: RefusedAddr(r.Err), Port: r.Target.Port, Refused: r.Refused()}
	for _, b := range before {
		if s, ok := b.bound(); ok && kernel.Conflicts(s, g) == kernel.Yes {
			r.Clash = b.String()
			return
		}
	}
}

// bound returns the socket of a request that succeeded, as the kernel would list it.
func (r *Request) bound() (s facts.Socket, ok bool) {
	var at netip.AddrPort
	switch socket := r.Socket.(type) {
	case net.Listener:
		if a, isTCP := socket.Addr().(*net.TCPAddr); isTCP {
			at, ok = a.AddrPort(), true
		}
	case net.PacketConn:
		if a, isUDP := socket.LocalAddr().(*net.UDPAddr); isUDP {
			at, ok = a.AddrPort(), true
		}
	}
	if !ok || r.Err != nil {
		return s, false
	}
	s = facts.Socket{Network: r.Network[:3], Listen: r.Network[:3] == "tcp", V6Only: r.Network[3:] == "6"}
	s.Addr = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	if s.Addr.Addr().Is6() {
		s.Network += "6"
	}
	return s, true
}

// clash is the finding about a request that an earlier one of the same call keeps from its port:
// the kernel was right, and nobody else is to blame.
func (r *Request) clash() kernel.Finding {
	said := fmt.Sprintf("%s and %s of the same list exclude each other", r.Clash, r)
	if r.Clash == r.String() {
		said = fmt.Sprintf("the list has %s twice", r)
	}
	return kernel.Finding{Causes: []report.Cause{{
		ID: "address-in-use", Certainty: report.Proven, Exit: exit.Unavailable, Summary: said,
		Detail: "the first of them was bound, so the port is held by no other process; each needs a port of its own, or the list one of them only",
	}}}
}
