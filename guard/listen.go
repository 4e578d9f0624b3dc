package guard

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/lowport/lowport/privport"
)

// Listen announces on a local address as [net.ListenConfig.Listen] does, with the least
// privilege that suffices: "tcp", "tcp4", "tcp6", "unix" or "unixpacket". Port 0, "" and
// ":" ask for any free port. The context bounds the look-up of a name; where it ends
// that, the error wraps the context's own.
//
// A socket that this process was started with for the address, as by systemd, is taken
// as it is. Where the kernel refuses a port the error is an *[Error]; of a unix socket
// it is the *net.OpError alone, since ports and capabilities have no part in it.
func Listen(ctx context.Context, network, address string, opts ...Option) (net.Listener, error) {
	s, err := open(ctx, request{protocol: "tcp", named: true, network: network, address: address}, opts)
	if err != nil {
		return nil, err
	}
	return s.(net.Listener), nil
}

// ListenPacket announces on a local address as [net.ListenConfig.ListenPacket] does:
// "udp", "udp4", "udp6" or "unixgram". The rest is as for [Listen].
func ListenPacket(ctx context.Context, network, address string, opts ...Option) (net.PacketConn, error) {
	s, err := open(ctx, request{protocol: "udp", named: true, network: network, address: address}, opts)
	if err != nil {
		return nil, err
	}
	return s.(net.PacketConn), nil
}

// open opens one socket: a net.Listener or a net.PacketConn.
func open(ctx context.Context, r request, opts []Option) (io.Closer, error) {
	var err error
	if r.isUnix() {
		err = openUnix(ctx, &r, with(opts))
	} else {
		one := []request{r}
		err = bind(ctx, one, opts)
		r = one[0]
	}
	return r.socket, err
}

// isUnix reports whether the request is for a unix socket of its own sort.
func (r request) isUnix() bool {
	if r.protocol == "udp" {
		return r.network == "unixgram"
	}
	return r.network == "unix" || r.network == "unixpacket"
}

// openUnix opens a unix socket. Its report has no causes.
func openUnix(ctx context.Context, r *request, o options) error {
	r.open(ctx, o.config)
	if o.report != nil {
		report := success("bind "+r.String(), string(r.how.Via))
		if r.err != nil {
			report = unexplained("bind "+r.String(), r.err)
		}
		report.Notes = append(report.Notes, privport.Leftover()...)
		*o.report = report
	}
	return r.err
}

// contextError returns the error of a bind that the context ended before the kernel
// was asked, nil if it did not.
func contextError(ctx context.Context, err error) error {
	var errno syscall.Errno
	if err == nil || ctx.Err() == nil || errors.As(err, &errno) {
		return nil
	}
	network := ""
	var op *net.OpError
	if errors.As(err, &op) {
		network = op.Net
	}
	return &net.OpError{Op: "listen", Net: network, Err: ctx.Err()}
}

// named is the request of an address that may have its network before a slash.
func named(address string) request {
	if network, address, ok := strings.Cut(address, "/"); ok {
		return request{named: true, network: network, address: address}
	}
	return request{address: address}
}
