package guard

import (
	"context"
	"errors"
	"net"
	"slices"

	"github.com/lowport/lowport/internal/ask"
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
// "udp/:53", "tcp6/[::1]:80". An empty list is refused like a malformed address. The
// context bounds the look-ups of names; if it ends during one, the error wraps the
// context's error.
func BindAll(ctx context.Context, addresses []string, opts ...Option) (*Sockets, error) {
	if len(addresses) == 0 {
		return nil, noAddress(ask.With(opts))
	}
	var all []ask.Request
	for _, a := range addresses {
		all = append(all, ask.Named(a))
	}
	if err := bind(ctx, all, opts); err != nil {
		return nil, err
	}
	s := &Sockets{}
	for _, r := range all {
		switch socket := r.Socket.(type) {
		case net.Listener:
			s.Listeners = append(s.Listeners, socket)
		case net.PacketConn:
			s.PacketConns = append(s.PacketConns, socket)
		}
	}
	return s, nil
}

// noAddress refuses an empty list of addresses: a server that listens nowhere must not
// start without a word.
func noAddress(o ask.Options) error {
	none := ask.Request{Network: "tcp", Err: &net.OpError{Op: "listen", Net: "tcp", Err: &net.AddrError{Err: "no address to listen on"}}}
	r := ask.Malformed("bind nothing", none)
	if o.Report != nil {
		*o.Report = r
	}
	return &Error{Report: r, Err: none.Err}
}

// MustBindAll calls BindAll and, like [MustBind], ends the program if that fails.
func MustBindAll(ctx context.Context, addresses []string, opts ...Option) *Sockets {
	s, err := BindAll(ctx, addresses, opts...)
	must(err, opts...)
	return s
}

// bind binds all requested addresses, or none.
func bind(ctx context.Context, all []ask.Request, opts []Option) error {
	o := ask.With(opts)
	for i := range all {
		all[i].On(o.Network)
	}
	err := ask.Bind(ctx, o.Config, all)
	if err == nil && o.Report == nil {
		return nil // nobody asks how
	}
	if ended := contextError(ctx, err); ended != nil {
		if o.Report != nil {
			*o.Report = ask.Unexplained("bind "+ask.List(all), ended)
		}
		return ended
	}
	r := ask.Report(all, machine)
	unfit := mismatches(ctx, all)
	r.Notes = append(r.Notes, inherited(unfit)...)
	if len(unfit) == 1 && len(unfit[0]) > 0 {
		r.Fixes = slices.Insert(r.Fixes, 0, ask.SocketLine(unfit[0][0]))
	}
	if o.Report != nil {
		*o.Report = r
	}
	if err != nil {
		return &Error{Report: r, Err: err}
	}
	return nil
}

// mismatches returns for each failed request the sockets that this process was started with for
// its port, and that do not fit.
func mismatches(ctx context.Context, all []ask.Request) (unfit [][]privport.Mismatch) {
	for _, r := range all {
		if r.Err != nil {
			unfit = append(unfit, privport.Mismatches(ctx, r.Network, r.Address))
		}
	}
	return unfit
}

// inherited returns notes about sockets that this process was started with and that nobody
// has taken. For the port of a failed request a note says why the socket does not fit.
func inherited(unfit [][]privport.Mismatch) []string {
	var notes []string
	var explained []privport.Offer
	for _, m := range slices.Concat(unfit...) {
		explained = append(explained, m.Offer)
		if note := m.String(); !slices.Contains(notes, note) {
			notes = append(notes, note)
		}
	}
	return append(notes, privport.Leftover(explained...)...)
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
