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

	"github.com/lowport/lowport/internal/archive"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/live"
	"github.com/lowport/lowport/internal/mask"
)

// Record returns the evidence of this machine about one address, to attach to a
// bug report or to test with: [Replay] makes the same report from it anywhere.
// The address is as for [BindAll]; it is bound and closed again, and how that
// went is recorded.
//
// A recording is text and holds nothing personal: paths, arguments, addresses,
// security labels and the names of users, units, containers and programs are
// replaced by ones that stand for them, and of the environment only the presence
// of five variables is kept. Read it before you send it.
//
// The error is that of a malformed address, or wraps [errors.ErrUnsupported] off
// Linux. A refused bind is no error.
func Record(address string, opts ...Option) ([]byte, error) {
	if runtime.GOOS != "linux" {
		return nil, fmt.Errorf("recording on %s: %w", runtime.GOOS, errors.ErrUnsupported)
	}
	all, o := single(address, opts)
	err := bindEach(context.Background(), o.config, all)
	r := all[0]
	done := outcome{udp: strings.HasPrefix(r.network, "udp"), port: r.target.Port, via: r.how.Via}
	var errno syscall.Errno
	switch {
	case err == nil:
		done.addr = r.bound()
		r.socket.Close()
	case errors.As(err, &errno):
		done.addr, done.errno = refusedAddr(err), kernel.ErrnoName(errno)
	default: // the kernel was not asked
		return nil, &Error{Report: reported(all, func(...int) facts.Facts { return facts.Facts{} }), Err: err}
	}
	if done.addr.IsUnspecified() {
		done.addr = netip.Addr{}
	}
	record, masked := mask.Record(live.Read(r.target.Port), done.addr)
	done.addr = masked
	return append([]byte("# recorded by lowport; names, paths and addresses are replaced\n"+done.String()), archive.Save(record)...), nil
}

// single is the request of one address, with the options it is under.
func single(address string, opts []Option) ([]request, options) {
	o, r := with(opts), named(address)
	r.on(o.network)
	return []request{r}, o
}

// bound is the address of the socket.
func (r request) bound() netip.Addr {
	var a net.Addr
	switch socket := r.socket.(type) {
	case net.Listener:
		a = socket.Addr()
	case net.PacketConn:
		a = socket.LocalAddr()
	}
	bound, _ := netip.ParseAddrPort(a.String())
	return bound.Addr().Unmap().WithZone("")
}
