package guard

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"

	"github.com/lowport/lowport/internal/ask"
	"github.com/lowport/lowport/privport"
)

// Listen announces on a local address as [net.ListenConfig.Listen] does, with the least
// privilege that suffices: "tcp", "tcp4", "tcp6", "unix" or "unixpacket". Port 0, "" and
// ":" ask for any free port. The context bounds the look-up of a name; if it ends during
// one, the error wraps the context's error.
//
// If this process was started with a socket for the address, as systemd does, Listen takes
// that one. If the kernel refuses a port, the error is an *[Error]; for a unix socket it is
// the plain *net.OpError, since ports and capabilities play no part in it.
func Listen(ctx context.Context, network, address string, opts ...Option) (net.Listener, error) {
	s, err := open(ctx, ask.Request{Protocol: "tcp", Named: true, Network: network, Address: address}, opts)
	if err != nil {
		return nil, err
	}
	return s.(net.Listener), nil
}

// ListenPacket announces on a local address as [net.ListenConfig.ListenPacket] does:
// "udp", "udp4", "udp6" or "unixgram". The rest is as for [Listen].
func ListenPacket(ctx context.Context, network, address string, opts ...Option) (net.PacketConn, error) {
	s, err := open(ctx, ask.Request{Protocol: "udp", Named: true, Network: network, Address: address}, opts)
	if err != nil {
		return nil, err
	}
	return s.(net.PacketConn), nil
}

// open opens one socket: a net.Listener or a net.PacketConn.
func open(ctx context.Context, r ask.Request, opts []Option) (io.Closer, error) {
	var err error
	if r.IsUnix() {
		err = openUnix(ctx, &r, ask.With(opts))
	} else {
		one := []ask.Request{r}
		err = bind(ctx, one, opts)
		r = one[0]
	}
	return r.Socket, err
}

// openUnix opens a unix socket. Its report has no causes.
func openUnix(ctx context.Context, r *ask.Request, o ask.Options) error {
	r.Open(ctx, o.Config)
	if o.Report != nil {
		report := ask.Success("bind "+r.String(), string(r.How.Via))
		if r.Err != nil {
			report = ask.Unexplained("bind "+r.String(), r.Err)
		}
		report.Notes = append(report.Notes, privport.Leftover()...)
		*o.Report = report
	}
	return r.Err
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
