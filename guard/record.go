package guard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"syscall"

	"github.com/lowport/lowport/internal/machine"
)

// Record returns the evidence of this machine about one address, to attach to a
// bug report or to test with: [Replay] makes of it, anywhere, the report that is
// made here. The address is as for [BindAll]; it is bound and closed again, and
// how that went is recorded.
//
// A recording is text and holds nothing personal: paths, arguments, addresses,
// security labels and the names of users, units, containers and programs are
// replaced by ones that stand for them, and of the environment only the presence
// of five variables is kept. Read it before you send it.
//
// The error is that of a malformed address, or wraps [errors.ErrUnsupported] off
// Linux. That the bind is refused is no error.
func Record(address string, opts ...Option) ([]byte, error) {
	if runtime.GOOS != "linux" {
		return nil, fmt.Errorf("recording on %s: %w", runtime.GOOS, errors.ErrUnsupported)
	}
	all, o := single(address, opts)
	s, err := bindEach(context.Background(), o.config, all)
	r := all[0]
	done := outcome{udp: strings.HasPrefix(r.network, "udp"), port: r.target.Port, via: r.how.Via}
	var errno syscall.Errno
	switch {
	case err == nil:
		done.addr = s.addr()
		s.Close()
	case errors.As(err, &errno):
		done.addr, done.errno = refusedAddr(err), errnoName(errno)
	default: // the kernel was not asked
		return nil, &Error{Report: reported(all, func(...int) machine.Facts { return machine.Facts{} }), err: err}
	}
	if done.addr.IsUnspecified() {
		done.addr = netip.Addr{}
	}
	record, masked := machine.Live(r.target.Port).Masked(done.addr)
	done.addr = masked
	return append([]byte("# recorded by lowport; names, paths and addresses are replaced\n"+done.String()), record.Save()...), nil
}

// single is the request of one address, with the options it is under.
func single(address string, opts []Option) ([]request, options) {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	return []request{named(address).on(o.network)}, o
}

// addr is the address of the one socket.
func (s *Sockets) addr() netip.Addr {
	var a net.Addr
	if len(s.Listeners) > 0 {
		a = s.Listeners[0].Addr()
	} else {
		a = s.PacketConns[0].LocalAddr()
	}
	bound, _ := netip.ParseAddrPort(a.String())
	return bound.Addr().Unmap().WithZone("")
}
