package ask

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
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
	return listed(r.Network, at), true
}

// Foretold notes which of predicted requests has the port that a later one of the same list asks
// for: that fails then.
func Foretold(all []Request) {
	for i := range all {
		r := &all[i]
		s, ok := r.foretold()
		if !ok {
			continue
		}
		for _, b := range all[:i] {
			if other, ok := b.foretold(); ok && kernel.Conflicts(other, r.Goal) == kernel.Yes {
				var at net.Addr = net.TCPAddrFromAddrPort(s.Addr)
				if !s.Listen {
					at = net.UDPAddrFromAddrPort(s.Addr)
				}
				r.Clash = b.String()
				r.Err = &net.OpError{Op: "listen", Net: r.Network, Addr: at, Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}
				break
			}
		}
	}
}

// foretold returns the socket of a request that is predicted to succeed, as the kernel would list it.
func (r *Request) foretold() (s facts.Socket, ok bool) {
	protocol := r.Goal.Protocol()
	if r.Err != nil || r.Goal.Port == 0 || protocol != "tcp" && protocol != "udp" {
		return s, false
	}
	at := r.Goal.Addr
	switch {
	case !at.IsValid() && r.Goal.Network == protocol+"4":
		at = netip.IPv4Unspecified()
	case !at.IsValid():
		at = netip.IPv6Unspecified()
	}
	return listed(r.Goal.Network, netip.AddrPortFrom(at, uint16(r.Goal.Port))), true
}

// listed is a listening socket of a network such as "tcp6", as the kernel lists it.
func listed(network string, at netip.AddrPort) facts.Socket {
	s := facts.Socket{Network: network[:3], Listen: network[:3] == "tcp", V6Only: network[3:] == "6"}
	s.Addr = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	if s.Addr.Addr().Is6() {
		s.Network += "6"
	}
	return s
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
