package guard

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/live"
	"github.com/lowport/lowport/internal/remedy"
	"github.com/lowport/lowport/internal/term"
	"github.com/lowport/lowport/privport"
)

// Sockets are what [BindAll] returns.
type Sockets struct {
	Listeners   []net.Listener   // of the TCP addresses, in their order
	PacketConns []net.PacketConn // of the UDP addresses, in their order
}

// BindAll binds all of the addresses or none: where one fails, those that are
// bound already are closed, and one *[Error] covers every address that failed.
// An address is as for [Bind], or has its network before a slash: ":443",
// "udp/:53", "tcp6/[::1]:80". No addresses at all are refused as a malformed one is. The
// context bounds the look-ups of names; where it ends one, the error wraps the context's
// own.
func BindAll(ctx context.Context, addresses []string, opts ...Option) (*Sockets, error) {
	if len(addresses) == 0 {
		return nil, noAddress(with(opts))
	}
	var all []request
	for _, a := range addresses {
		all = append(all, named(a))
	}
	if err := bind(ctx, all, opts); err != nil {
		return nil, err
	}
	s := &Sockets{}
	for _, r := range all {
		switch socket := r.socket.(type) {
		case net.Listener:
			s.Listeners = append(s.Listeners, socket)
		case net.PacketConn:
			s.PacketConns = append(s.PacketConns, socket)
		}
	}
	return s, nil
}

// noAddress refuses an empty list of addresses: a server that listens nowhere does not
// start as if all were well.
func noAddress(o options) error {
	none := request{network: "tcp", err: &net.OpError{Op: "listen", Net: "tcp", Err: &net.AddrError{Err: "no address to listen on"}}}
	r := malformed("bind nothing", none)
	if o.report != nil {
		*o.report = r
	}
	return &Error{Report: r, Err: none.err}
}

// MustBindAll is BindAll for a main function, as [MustBind].
func MustBindAll(ctx context.Context, addresses []string, opts ...Option) *Sockets {
	s, err := BindAll(ctx, addresses, opts...)
	must(err)
	return s
}

// A request is an address to bind.
type request struct {
	protocol string // "tcp" or "udp" alone, or "" for either
	network  string // "" for the protocol's own, unless it was named
	named    bool
	address  string

	target privport.Target
	mptcp  bool        // an MPTCP socket is tried first
	goal   kernel.Goal // where it is decided and not tried
	how    privport.How
	socket io.Closer // a net.Listener or a net.PacketConn, where it succeeded
	err    error
}

// on sets the network of the request: its own, else the option's, else that of
// its protocol.
func (r *request) on(network *string) {
	switch {
	case r.named:
	case network != nil:
		r.network = *network
	default:
		r.network = cmp.Or(r.protocol, "tcp")
	}
}

func (r request) String() string { return term.Show(r.network) + " " + term.Show(r.address) }

// parse takes the address apart.
func (r *request) parse(ctx context.Context) (privport.Target, error) {
	if !strings.HasPrefix(r.network, r.protocol) {
		return privport.Target{}, &net.OpError{Op: "listen", Net: r.network, Err: net.UnknownNetworkError(r.network)}
	}
	return privport.Parse(ctx, r.network, r.address)
}

// bind binds all that is requested, or nothing.
func bind(ctx context.Context, all []request, opts []Option) error {
	o := with(opts)
	for i := range all {
		all[i].on(o.network)
	}
	err := bindEach(ctx, o.config, all)
	if err == nil && o.report == nil {
		return nil // nobody asks how
	}
	if ended := contextError(ctx, err); ended != nil {
		if o.report != nil {
			*o.report = unexplained("bind "+list(all), ended)
		}
		return ended
	}
	r := reported(all, func(ports ...int) facts.Facts { return live.Read(ports...).Facts() })
	r.Notes = append(r.Notes, privport.Leftover()...)
	if o.report != nil {
		*o.report = r
	}
	if err != nil {
		return &Error{Report: r, Err: err}
	}
	return nil
}

// bindEach binds one after the other, and notes how in each request. It goes on
// after a failure, so that the report covers all of them; it returns the first.
// What is malformed is found before anything is bound.
func bindEach(ctx context.Context, c privport.Config, all []request) error {
	for i := range all {
		r := &all[i]
		r.mptcp = c.MultipathTCP()
		if r.target, r.err = r.parse(ctx); r.err != nil {
			return r.err
		}
	}
	var first error
	for i := range all {
		r := &all[i]
		if r.open(ctx, c); r.err != nil && first == nil {
			first = r.err
		}
	}
	if first != nil {
		for _, r := range all {
			if r.err == nil {
				r.socket.Close()
			}
		}
	}
	return first
}

// open binds one address.
func (r *request) open(ctx context.Context, c privport.Config) {
	if strings.HasPrefix(r.network, "udp") || r.network == "unixgram" {
		r.socket, r.how, r.err = c.ListenPacket(ctx, r.network, r.address)
	} else {
		r.socket, r.how, r.err = c.Listen(ctx, r.network, r.address)
	}
}

// reported makes the report of what was bound, or of what failed and why on the
// machine that facts looks at.
func reported(all []request, read func(ports ...int) facts.Facts) Report {
	subject := "bind " + list(all)
	r := success(subject, "")
	var failed []request
	var vias []string
	for _, q := range all {
		switch via := string(q.how.Via); {
		case q.err != nil && q.target == privport.Target{}:
			return malformed(subject, q)
		case q.err != nil:
			failed = append(failed, q)
		case !slices.Contains(vias, via):
			vias = append(vias, via)
		}
		r.Notes = append(r.Notes, q.how.Notes()...)
	}
	r.Via = strings.Join(vias, ", ")
	if len(failed) > 0 {
		r = refusals(subject, failed, read(ports(failed)...))
	} else if len(all) > 0 && all[0].goal.Network != "" {
		f, g := read(all[0].goal.Port), all[0].goal
		shows(&r, f, remedy.Case{Goal: g, Worlds: kernel.Worlds(&f, g)})
	}
	return r
}

func list(all []request) string {
	var words []string
	for _, r := range all {
		words = append(words, r.String())
	}
	return strings.Join(words, ", ")
}

// Close closes all of them.
func (s *Sockets) Close() error {
	var errs []error
	for _, ln := range s.Listeners {
		errs = append(errs, ln.Close())
	}
	for _, c := range s.PacketConns {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
