package recording

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"syscall"

	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/archive"
	"github.com/lowport/lowport/internal/ask"
	"github.com/lowport/lowport/internal/errnos"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/live"
	"github.com/lowport/lowport/internal/mask"
	"github.com/lowport/lowport/internal/predict"
)

// Make returns the evidence of this machine about one address, to attach to a
// bug report or to test with: [Replay] makes the same report from it anywhere.
// The address is as for [guard.BindAll]; it is bound and closed again, and how that
// went is recorded.
//
// A recording is text and holds nothing personal: paths, arguments, addresses,
// security labels and the names of users, units, containers and programs are
// replaced by ones that stand for them, and of the environment only the presence
// of five variables is kept. Read it before you send it.
//
// Make returns an error if the address is malformed and, wrapping [errors.ErrUnsupported],
// off Linux. A refused bind is not an error.
func Make(address string, opts ...guard.Option) ([]byte, error) {
	if runtime.GOOS != "linux" {
		return nil, fmt.Errorf("recording on %s: %w", runtime.GOOS, errors.ErrUnsupported)
	}
	all, o := single(address, opts)
	err := ask.Bind(context.Background(), o.Config, all)
	r := all[0]
	done := predict.Outcome{UDP: strings.HasPrefix(r.Network, "udp"), Port: r.Target.Port, Via: r.How.Via}
	var errno syscall.Errno
	switch {
	case err == nil:
		done.Addr = bound(r)
		r.Socket.Close()
	case errors.As(err, &errno):
		done.Addr, done.Errno = ask.RefusedAddr(err), errnos.Name(errno)
		refused := r.Refused()
		if done.Call = refused.Call; done.Call == "bind" {
			done.Call = ""
		}
		done.OnlyTCP, done.Control = !done.UDP && !r.MPTCP, r.Control
		if refused.Capset != 0 {
			done.Capset = errnos.Name(refused.Capset)
		}
	default: // the kernel was not asked
		return nil, &report.Error{Report: ask.Report(all, func([]ask.Request) facts.Facts { return facts.Facts{} }), Err: err}
	}
	if done.Addr.IsUnspecified() {
		done.Addr = netip.Addr{}
	}
	record, masked := mask.Record(live.Read(r.Target.Port), done.Addr)
	done.Addr = masked
	return append([]byte("# recorded by lowport; names, paths and addresses are replaced\n"+done.String()), archive.Save(record)...), nil
}

// single returns the request for one address, and the options.
func single(address string, opts []guard.Option) ([]ask.Request, ask.Options) {
	o, r := ask.With(opts), ask.Named(address)
	r.On(o.Network)
	return []ask.Request{r}, o
}

// bound returns the address of the socket.
func bound(r ask.Request) netip.Addr {
	var a net.Addr
	switch socket := r.Socket.(type) {
	case net.Listener:
		a = socket.Addr()
	case net.PacketConn:
		a = socket.LocalAddr()
	}
	bound, _ := netip.ParseAddrPort(a.String())
	return bound.Addr().Unmap().WithZone("")
}
