package ask

import (
	"cmp"
	"context"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/remedy"
	"github.com/lowport/lowport/internal/term"
	"github.com/lowport/lowport/privport"
)

// Options are how a request is made.
type Options struct {
	Network *string // of a request that names none; nil for that of its protocol
	Config  privport.Config
	Report  *report.Report      // where the report goes; nil for nowhere
	Refused func(*report.Error) // what a Must function calls with the refusal; nil for its own
}

// With returns the options that opts make of none.
func With[Option ~func(Options) Options](opts []Option) (o Options) {
	for _, opt := range opts {
		o = opt(o)
	}
	return o
}

// Named is the request of an address that may have its network before a slash.
func Named(address string) Request {
	if network, address, ok := strings.Cut(address, "/"); ok {
		return Request{Named: true, Network: network, Address: address}
	}
	return Request{Address: address}
}

// A Request is an address to bind, and how that went.
type Request struct {
	Protocol string // "tcp" or "udp" alone, or "" for either
	Network  string // "" for the protocol's own, unless it was named
	Named    bool
	Address  string
	Foreign  bool // somebody else made it, who does not raise

	Target  privport.Target
	MPTCP   bool        // an MPTCP socket is tried first
	Control bool        // the program sets the socket up itself
	Goal    kernel.Goal // where it is decided and not tried
	How     privport.How
	Socket  io.Closer // a net.Listener or a net.PacketConn, where it succeeded
	Clash   string    // the earlier request of the same call that has the port, "" for none
	Err     error
}

// On sets the network of the request: its own, else the option's, else the protocol.
func (r *Request) On(network *string) {
	switch {
	case r.Named:
	case network != nil:
		r.Network = *network
	default:
		r.Network = cmp.Or(r.Protocol, "tcp")
	}
}

func (r Request) String() string { return term.Show(r.Network) + " " + term.Show(r.Address) }

// IsUnix reports whether the request is for a unix socket of its own sort.
func (r Request) IsUnix() bool {
	if r.Protocol == "udp" {
		return r.Network == "unixgram"
	}
	return r.Network == "unix" || r.Network == "unixpacket"
}

// Parse splits the address into its parts.
func (r *Request) Parse(ctx context.Context) (privport.Target, error) {
	if !strings.HasPrefix(r.Network, r.Protocol) {
		return privport.Target{}, &net.OpError{Op: "listen", Net: r.Network, Err: net.UnknownNetworkError(r.Network)}
	}
	if err := ctx.Err(); err != nil && r.hasName() { // a look-up may end before it hears of that
		return privport.Target{}, &net.OpError{Op: "listen", Net: r.Network, Err: err}
	}
	return privport.Parse(ctx, r.Network, r.Address)
}

// hasName reports whether the address takes a look-up: of a host or of a port.
func (r *Request) hasName() bool {
	host, port, err := net.SplitHostPort(r.Address)
	if err != nil {
		return false
	}
	_, notNumber := strconv.ParseUint(port, 10, 16)
	_, notAddr := netip.ParseAddr(host)
	return port != "" && notNumber != nil || host != "" && notAddr != nil
}

// Bind binds one address after the other and notes in each request how that went. It goes
// on after a failure, so that the report covers all of them, and returns the first error.
// It binds nothing if an address is malformed.
func Bind(ctx context.Context, c privport.Config, all []Request) error {
	for i := range all {
		r := &all[i]
		r.MPTCP, r.Control = c.MultipathTCP(), c.Control != nil
		if r.Target, r.Err = r.Parse(ctx); r.Err != nil {
			return r.Err
		}
	}
	var first error
	for i := range all {
		r := &all[i]
		if r.Open(ctx, c); r.Err != nil && first == nil {
			first = r.Err
		}
		r.clashes(all[:i])
	}
	if first != nil {
		for _, r := range all {
			if r.Err == nil {
				r.Socket.Close()
			}
		}
	}
	return first
}

// Open binds one address.
func (r *Request) Open(ctx context.Context, c privport.Config) {
	if strings.HasPrefix(r.Network, "udp") || r.Network == "unixgram" {
		r.Socket, r.How, r.Err = c.ListenPacket(ctx, r.Network, r.Address)
	} else {
		r.Socket, r.How, r.Err = c.Listen(ctx, r.Network, r.Address)
	}
}

// Report makes the report of what was bound, or of what failed and why on the
// machine that read looks at.
func Report(all []Request, read func(about []Request) facts.Facts) report.Report {
	subject := "bind " + List(all)
	r := Success(subject, "")
	var failed []Request
	var vias []string
	for _, q := range all {
		switch via := string(q.How.Via); {
		case q.Err != nil && q.Target == privport.Target{}:
			return Malformed(subject, q)
		case q.Err != nil:
			failed = append(failed, q)
		case !slices.Contains(vias, via):
			vias = append(vias, via)
		}
		r.Notes = append(r.Notes, q.How.Notes()...)
	}
	r.Via = strings.Join(vias, ", ")
	if len(failed) > 0 {
		r = refusals(subject, failed, read(failed))
	} else if len(all) > 0 && all[0].Goal.Network != "" {
		f, g := read(all), all[0].Goal
		shows(&r, f, remedy.Case{Goal: g, Worlds: kernel.Worlds(&f, g)})
	}
	return r
}

func List(all []Request) string {
	var words []string
	for _, r := range all {
		words = append(words, r.String())
	}
	return strings.Join(words, ", ")
}
