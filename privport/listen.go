package privport

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"syscall"

	"github.com/lowport/lowport/caps"
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

	// Unraised is why a capability that is permitted could not be raised, or why it could
	// not be seen whether it is: a *[RaiseError], or nil.
	Unraised error

	network, address string   // what was asked
	got              net.Addr // of a socket that was made here
	note             string   // what is to be said beside that
}

// Notes says how the socket differs from what was asked for, and why a capability that
// is permitted could not be raised.
func (h How) Notes() []string {
	var notes []string
	if h.note != "" {
		notes = append(notes, h.note)
	}
	if h.got != nil {
		notes = append(notes, compare(h.network, h.address, h.got)...)
	}
	return notes
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

// Listen announces on an address: [Config.Listen] of the zero Config.
func Listen(ctx context.Context, network, address string) (net.Listener, Via, error) {
	ln, how, err := Config{}.Listen(ctx, network, address)
	return ln, how.Via, err
}

// ListenPacket announces on an address: [Config.ListenPacket] of the zero Config.
func ListenPacket(ctx context.Context, network, address string) (net.PacketConn, Via, error) {
	c, how, err := Config{}.ListenPacket(ctx, network, address)
	return c, how.Via, err
}

// Listen announces on an address as [net.ListenConfig.Listen] does: "tcp", "tcp4",
// "tcp6", "unix" or "unixpacket". If a socket that this process was started with
// matches, it is taken (see [Leftover]). Otherwise Listen tries a plain bind first, the
// only reliable check. If the kernel answers EACCES and this thread has
// cap_net_bind_service permitted but not effective, Listen binds once more with the
// capability raised, on the calling thread and so in its network namespace: see
// [Raise].
//
// The error is the [*net.OpError] of the last bind that was tried. It wraps a *[ControlError]
// if the program's Control function failed, and an *[AuthbindError] if authbind refused as well.
func (c Config) Listen(ctx context.Context, network, address string) (net.Listener, How, error) {
	c.ListenConfig = marked(c.ListenConfig)
	switch network {
	case "tcp", "tcp4", "tcp6", "unix", "unixpacket":
		return get(ctx, c, network, address, net.FileListener, listen)
	}
	return nil, How{}, unknown(network)
}

// ListenPacket is Listen as [net.ListenConfig.ListenPacket]: "udp", "udp4", "udp6" or
// "unixgram".
func (c Config) ListenPacket(ctx context.Context, network, address string) (net.PacketConn, How, error) {
	c.ListenConfig = marked(c.ListenConfig)
	switch network {
	case "udp", "udp4", "udp6", "unixgram":
		return get(ctx, c, network, address, net.FilePacketConn, listenPacket)
	}
	return nil, How{}, unknown(network)
}

func unknown(network string) error {
	return &net.OpError{Op: "listen", Net: network, Err: net.UnknownNetworkError(network)}
}

// The two binds take a net.ListenConfig by value, so that none is allocated.
func listen(ctx context.Context, lc net.ListenConfig, network, address string) (net.Listener, error) {
	return lc.Listen(ctx, network, address)
}

func listenPacket(ctx context.Context, lc net.ListenConfig, network, address string) (net.PacketConn, error) {
	return lc.ListenPacket(ctx, network, address)
}

// get gets a socket of either sort: adopt makes one of a descriptor, and bind
// makes a new one.
func get[S io.Closer](ctx context.Context, c Config, network, address string,
	adopt func(*os.File) (S, error),
	bind func(ctx context.Context, lc net.ListenConfig, network, address string) (S, error),
) (s S, how How, err error) {
	f, note, err := claim(ctx, network, address)
	if err != nil {
		return s, How{Via: Inherited}, &net.OpError{Op: "listen", Net: network, Err: err}
	}
	if f != nil {
		defer f.Close() // adopt makes a copy of its own
		s, err := adopt(f)
		return s, How{Via: Inherited, note: note}, err
	}
	how = How{Via: Plain, network: network, address: address}
	s, err = bind(ctx, c.ListenConfig, network, address)
	if bindRefused(err) {
		s, how, err = bindRaised(s, how, err, func(address string) (S, error) {
			return bind(ctx, c.ListenConfig, network, address)
		})
	}
	if c.Authbind && bindRefused(err) {
		var f *os.File
		if f, err = c.authbind(ctx, network, err); err == nil {
			defer f.Close()
			how.Via = Authbind
			s, err = adopt(f)
		}
	}
	if err == nil {
		how.got = bound(s)
	}
	return s, how, err
}

// bindRefused reports whether the kernel refused a port to bind(2) with EACCES. An
// error of the caller's own Control is none of that, nor one of a unix socket's path.
func bindRefused(err error) bool {
	var own *ControlError
	var op *net.OpError
	var call *os.SyscallError
	if errors.As(err, &own) || !errors.As(err, &op) || !errors.As(err, &call) || call.Syscall != "bind" || call.Err != syscall.EACCES {
		return false
	}
	switch op.Addr.(type) {
	case *net.TCPAddr, *net.UDPAddr:
		return true
	}
	return false
}

// bindRaised binds again what was refused, with cap_net_bind_service raised, if the
// thread has it permitted and not effective. Otherwise it returns what it was given.
// A host name was resolved by the first bind already, as the address in its error
// shows, so nothing is looked up while the thread is privileged.
func bindRaised[S io.Closer](s S, how How, refused error, bind func(address string) (S, error)) (S, How, error) {
	runtime.LockOSThread() // look at the thread that is raised
	defer runtime.UnlockOSThread()
	var op *net.OpError
	if !errors.As(refused, &op) {
		return s, how, refused
	}
	raisable, err := onlyPermitted(caps.NET_BIND_SERVICE)
	if err != nil {
		how.note, how.Unraised = err.Error(), err
	}
	if !raisable {
		return s, how, refused
	}
	var again S
	called := false
	err = Raise(caps.SetOf(caps.NET_BIND_SERVICE), func() (err error) {
		called = true
		again, err = bind(op.Addr.String())
		return err
	})
	if !called {
		how.note, how.Unraised = err.Error(), err
		return s, how, refused
	}
	how.Via = Raised
	if err != nil && any(again) != nil { // no socket is worth a thread that stays privileged
		again.Close()
		again = s
	}
	return again, how, err
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
