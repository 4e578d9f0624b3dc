package privport

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// A Via is the way by which a socket was obtained.
type Via string

const (
	Inherited Via = "inherited" // passed by whoever started this process: LISTEN_FDS, sd_listen_fds(3)
	Plain     Via = "plain"     // by a plain bind(2)
	Raised    Via = "raised"    // with cap_net_bind_service made effective for the one call
)

// A How says how a socket was obtained, and what is surprising about it.
type How struct {
	Via Via

	network, address string   // what was asked
	got              net.Addr // of a socket that was made here
	note             string   // of an inherited one
}

// Notes says how the socket differs from what was asked for.
func (h How) Notes() []string {
	switch {
	case h.note != "":
		return []string{h.note}
	case h.got != nil:
		return compare(h.network, h.address, h.got)
	}
	return nil
}

// A Config says how to listen. The zero Config is what [Listen] and
// [ListenPacket] use.
//
// Its Control, KeepAlive and MPTCP apply to the sockets that are made here, not
// to inherited ones, which were set up by whoever made them. To a socket that
// authbind binds, only Control applies. Control is called for each socket that is
// tried, so more than once where the first bind is refused.
type Config struct {
	net.ListenConfig

	// Authbind lets authbind's helper bind what would otherwise be refused. It
	// runs /usr/lib/authbind/helper, the only program that this package runs.
	Authbind bool
}

// Listen announces on a TCP address: [Config.Listen] of the zero Config.
func Listen(ctx context.Context, network, address string) (net.Listener, Via, error) {
	ln, how, err := Config{}.Listen(ctx, network, address)
	return ln, how.Via, err
}

// ListenPacket announces on a UDP address: [Config.ListenPacket] of the zero Config.
func ListenPacket(ctx context.Context, network, address string) (net.PacketConn, Via, error) {
	c, how, err := Config{}.ListenPacket(ctx, network, address)
	return c, how.Via, err
}

// Listen announces on a TCP address. If a socket that this process was started
// with matches, it is taken (see [Leftover]). Otherwise Listen tries a plain bind
// first, the only reliable check. If the kernel answers EACCES and this thread
// has cap_net_bind_service permitted but not effective, Listen binds once more
// with the capability raised, on an operating system thread of its own that ends
// afterwards: no other goroutine ever runs with it.
//
// The error is the [*net.OpError] of the last bind that was tried. If authbind refused as
// well, it wraps an *[AuthbindError].
func (c Config) Listen(ctx context.Context, network, address string) (net.Listener, How, error) {
	if err := kind(network, "tcp"); err != nil {
		return nil, How{}, err
	}
	return get(ctx, c, network, address, net.FileListener, listen)
}

// ListenPacket is Listen for a UDP address.
func (c Config) ListenPacket(ctx context.Context, network, address string) (net.PacketConn, How, error) {
	if err := kind(network, "udp"); err != nil {
		return nil, How{}, err
	}
	return get(ctx, c, network, address, net.FilePacketConn, listenPacket)
}

// The two binds take a net.ListenConfig by value, so that none is allocated.
func listen(ctx context.Context, lc net.ListenConfig, network, address string) (net.Listener, error) {
	return lc.Listen(ctx, network, address)
}

func listenPacket(ctx context.Context, lc net.ListenConfig, network, address string) (net.PacketConn, error) {
	return lc.ListenPacket(ctx, network, address)
}

// kind checks that a network is one of a protocol.
func kind(network, protocol string) error {
	switch network {
	case protocol, protocol + "4", protocol + "6":
		return nil
	}
	return &net.OpError{Op: "listen", Net: network, Err: net.UnknownNetworkError(network)}
}

// get gets a socket of either sort: adopt makes one of a descriptor, and bind
// makes a new one.
func get[S io.Closer](ctx context.Context, c Config, network, address string,
	adopt func(*os.File) (S, error),
	bind func(ctx context.Context, lc net.ListenConfig, network, address string) (S, error),
) (s S, how How, err error) {
	if given, ok := claim(ctx, network, address); ok {
		f, err := duplicate(given.fd)
		if err != nil {
			return s, How{Via: Inherited}, &net.OpError{Op: "listen", Net: network, Err: err}
		}
		defer f.Close() // adopt makes a copy of its own
		s, err := adopt(f)
		return s, How{Via: Inherited, note: given.note}, err
	}
	s, err = bind(ctx, c.ListenConfig, network, address)
	if !errors.Is(err, syscall.EACCES) {
		return made(network, address, s, Plain, err)
	}
	via := Plain
	var again S
	var raised error
	if raise(func() { again, raised = bind(ctx, c.ListenConfig, network, address) }) {
		s, via, err = again, Raised, raised
	}
	if c.Authbind && errors.Is(err, syscall.EACCES) {
		f, refused := c.authbind(ctx, network, err)
		if refused != nil {
			return s, How{Via: via}, refused
		}
		defer f.Close()
		via = Authbind
		s, err = adopt(f)
	}
	return made(network, address, s, via, err)
}

// made says how a new socket was got.
func made[S io.Closer](network, address string, s S, via Via, err error) (S, How, error) {
	how := How{Via: via, network: network, address: address}
	if err == nil {
		how.got = bound(s)
	}
	return s, how, err
}

// bound is where a socket of either sort is bound.
func bound(s io.Closer) net.Addr {
	switch s := s.(type) {
	case net.Listener:
		return s.Addr()
	case net.PacketConn:
		return s.LocalAddr()
	}
	return nil
}
