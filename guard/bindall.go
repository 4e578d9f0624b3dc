package guard

import (
	"cmp"
	"context"
	"errors"
	"net"
	"slices"
	"strings"

	"github.com/lowport/lowport/internal/explain"
	"github.com/lowport/lowport/internal/machine"
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
// "udp/:53", "tcp6/[::1]:80". The context bounds the look-ups of names.
func BindAll(ctx context.Context, addresses []string, opts ...Option) (*Sockets, error) {
	var all []request
	for _, a := range addresses {
		all = append(all, named(a))
	}
	return bind(ctx, all, opts)
}

// named is the request of an address that may have its network before a slash.
func named(address string) request {
	if network, address, ok := strings.Cut(address, "/"); ok {
		return request{network: network, address: address}
	}
	return request{address: address}
}

// A request is an address to bind.
type request struct {
	protocol string // "tcp" or "udp" alone, or "" for either
	network  string // "" for the protocol's own
	address  string
}

// on is the request with its network: its own, else the option's, else that of
// its protocol.
func (r request) on(network *string) request {
	switch {
	case r.network != "":
	case network != nil:
		r.network = *network
	default:
		r.network = cmp.Or(r.protocol, "tcp")
	}
	return r
}

func (r request) String() string { return explain.Show(r.network) + " " + explain.Show(r.address) }

// parse takes the address apart.
func (r request) parse(ctx context.Context) (privport.Target, error) {
	if !strings.HasPrefix(r.network, r.protocol) {
		return privport.Target{}, &net.OpError{Op: "listen", Net: r.network, Err: net.UnknownNetworkError(r.network)}
	}
	return privport.Parse(ctx, r.network, r.address)
}

// bind binds all that is requested, or nothing.
func bind(ctx context.Context, all []request, opts []Option) (*Sockets, error) {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	for i := range all {
		all[i] = all[i].on(o.network)
	}
	s, r, err := bindEach(ctx, o.config, all)
	if o.report != nil {
		*o.report = r
	}
	if err != nil {
		return nil, &Error{Report: r, err: err}
	}
	return s, nil
}

// bindEach binds one after the other. It goes on after a failure, so that the
// report covers all of them.
func bindEach(ctx context.Context, c privport.Config, all []request) (*Sockets, Report, error) {
	subject := "bind " + list(all)
	targets := make([]privport.Target, len(all))
	for i, r := range all {
		var err error
		if targets[i], err = r.parse(ctx); err != nil {
			return nil, malformed(subject, r, err), err
		}
	}
	s := &Sockets{}
	report := success(subject, "")
	var failed []failure
	var vias []string
	for i, r := range all {
		how, err := s.open(ctx, c, r)
		if err != nil {
			failed = append(failed, failure{r, targets[i], how.Via, err})
			continue
		}
		if via := string(how.Via); !slices.Contains(vias, via) {
			vias = append(vias, via)
		}
		report.Notes = append(report.Notes, how.Notes...)
	}
	report.Via = strings.Join(vias, ", ")
	if len(failed) > 0 {
		s.Close()
		s, report = nil, refusals(subject, failed, machine.Live(ports(failed)...).Facts())
	}
	report.Notes = append(report.Notes, privport.Leftover()...)
	if len(failed) > 0 {
		return nil, report, failed[0].err
	}
	return s, report, nil
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

// open binds one address.
func (s *Sockets) open(ctx context.Context, c privport.Config, r request) (privport.How, error) {
	if strings.HasPrefix(r.network, "udp") {
		conn, how, err := c.ListenPacket(ctx, r.network, r.address)
		if err == nil {
			s.PacketConns = append(s.PacketConns, conn)
		}
		return how, err
	}
	ln, how, err := c.Listen(ctx, r.network, r.address)
	if err == nil {
		s.Listeners = append(s.Listeners, ln)
	}
	return how, err
}
