package guard

import (
	"context"
	"net"

	"github.com/lowport/lowport/internal/ask"
)

// An Option changes how [Bind], [BindPacket] and [BindAll] bind.
type Option func(ask.Options) ask.Options

// Network chooses one family instead of both: "tcp4" or "tcp6" instead of
// "tcp", "udp4" or "udp6" instead of "udp".
func Network(network string) Option {
	return func(o ask.Options) ask.Options { o.Network = &network; return o }
}

// ListenConfig makes the sockets with lc. Its Control, KeepAlive and MPTCP apply
// to a bind with a raised capability too, but not to an inherited socket, which
// was set up by whoever made it.
func ListenConfig(lc net.ListenConfig) Option {
	return func(o ask.Options) ask.Options { o.Config.ListenConfig = lc; return o }
}

// Authbind lets authbind's helper bind what would otherwise be refused, if the
// files in /etc/authbind allow it: authbind(1) itself does not reach a Go
// program. It is the one option with which this package starts a program,
// /usr/lib/authbind/helper.
func Authbind() Option {
	return func(o ask.Options) ask.Options { o.Config.Authbind = true; return o }
}

// ReportTo fills in r whether the bind succeeds or not: how it succeeded (Via)
// and what was surprising about it (Notes), or why it did not.
func ReportTo(r *Report) Option {
	return func(o ask.Options) ask.Options { o.Report = r; return o }
}

// OnRefusal has the Must functions call f with the refusal, instead of writing the report
// to standard error, before they end the program: for a program with a logger of its own.
func OnRefusal(f func(*Error)) Option {
	return func(o ask.Options) ask.Options { o.Refused = f; return o }
}

// Bind listens on a TCP address: it is [Listen] for "tcp", or for the network that the
// option [Network] names. The port is a number or a name, ":443" or ":https".
func Bind(address string, opts ...Option) (net.Listener, error) {
	s, err := open(context.Background(), ask.Request{Protocol: "tcp", Address: address}, opts)
	if err != nil {
		return nil, err
	}
	return s.(net.Listener), nil
}

// BindPacket is Bind for a UDP address: [ListenPacket] for "udp".
func BindPacket(address string, opts ...Option) (net.PacketConn, error) {
	s, err := open(context.Background(), ask.Request{Protocol: "udp", Address: address}, opts)
	if err != nil {
		return nil, err
	}
	return s.(net.PacketConn), nil
}

// MustBind calls Bind. If that fails, MustBind writes the report to standard error and
// exits with the status of [Error.ExitCode]. It is for main functions.
func MustBind(address string, opts ...Option) net.Listener {
	ln, err := Bind(address, opts...)
	must(err, opts...)
	return ln
}

// MustBindPacket calls BindPacket and, like [MustBind], ends the program if that fails.
func MustBindPacket(address string, opts ...Option) net.PacketConn {
	c, err := BindPacket(address, opts...)
	must(err, opts...)
	return c
}
