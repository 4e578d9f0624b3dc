package guard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/live"
	"github.com/lowport/lowport/internal/program"
	"github.com/lowport/lowport/internal/term"
	"github.com/lowport/lowport/privport"
)

// A Launch says how a program is going to be started.
type Launch struct {
	Binary string // its path; of a script the interpreter counts. "" for that of the unit
	User   string // the name or number of the user it is started as, by setpriv, su or sudo; "" for who runs this
	Unit   string // the path of the .service file by which systemd starts it; "" for a start from here
	Guard  Guard  // whether the program has this guard; by default what its file shows
}

// Guard says whether a program binds by this package. One that does raises a capability of
// its file, and takes the sockets that systemd passes.
type Guard string

const (
	AsBuilt   Guard = ""    // what the program's file shows
	Guarded   Guard = "yes" // it does
	Unguarded Guard = "no"  // it does not
)

// Preflight predicts what [Bind] of these addresses would do in a program that is
// started as how says, before it runs anywhere, and returns its report. If the
// bind would be refused, or that cannot be told, the error is an *[Error] as from
// Bind. The addresses are as for [BindAll]; none is listened on.
//
// The decision is made by the same rules, from the file's capabilities, mode and
// mount and from what the starter holds. The starter is this process, perhaps
// changed to another user, or for a unit systemd, with what the unit, its
// drop-ins and its .socket units say; the .socket units are taken to be started.
// Preflight looks whether the addresses are free now.
//
// What a program does to itself, and what a security policy or a BPF program does
// to a unit, cannot be seen from outside. What refuses this process binds that
// need no privilege is taken to refuse a program that it starts as well.
//
// Any other error means that nothing would be started (for the file it wraps
// [fs.ErrNotExist] or [fs.ErrPermission]) or that the machine or the unit could
// not be read; off Linux it wraps [errors.ErrUnsupported].
func Preflight(how Launch, addresses ...string) (Report, error) {
	var all []request
	for _, a := range addresses {
		r := named(a)
		r.on(nil)
		all = append(all, r)
	}
	subject := "bind " + list(all)
	for i := range all {
		r := &all[i]
		if r.target, r.err = r.parse(context.Background()); r.err != nil {
			return predicted(malformed(subject, *r), r.err, nil)
		}
	}
	p, err := how.plan(ports(all)...)
	if err != nil {
		return Report{}, &printable{err}
	}
	for i := range all {
		p.predict(&all[i])
	}
	r := reported(all, func(...int) facts.Facts { return p.facts })
	return predicted(r, firstErr(all), p.notes)
}

// PreflightRequire predicts what [Require] would do in a program, as [Preflight]
// does for [Bind].
func PreflightRequire(how Launch, need ...caps.Cap) (Report, error) {
	p, err := how.plan()
	if err != nil {
		return Report{}, &printable{err}
	}
	g := kernel.Goal{Require: caps.SetOf(need...)}
	if why := p.doubt(g); why != "" {
		err := &untold{why}
		subject := "require " + g.Require.String()
		return predicted(refusal(subject, subject+": could not tell", err, kernel.Untold(&p.facts, g, why), p.facts), err, p.notes)
	}
	err = require(g.Require, p.facts)
	var refused *Error
	if errors.As(err, &refused) {
		return predicted(refused.Report, refused.Err, p.notes)
	}
	return predicted(success("require "+g.Require.String(), ""), nil, p.notes)
}

// predicted says of a report that it is a prediction.
func predicted(r Report, err error, notes []string) (Report, error) {
	r.Subject, r.Headline = "preflight "+r.Subject, "preflight: "+r.Headline
	for _, n := range notes {
		r.Notes = append(r.Notes, term.Show(n))
	}
	if err != nil {
		return r, &Error{Report: r, Err: err}
	}
	return r, nil
}

func firstErr(all []request) error {
	for _, r := range all {
		if r.err != nil {
			return r.err
		}
	}
	return nil
}

// untold is the error of what cannot be told.
type untold struct{ why string }

func (e *untold) Error() string { return "could not tell: " + e.why }

// printable is an error of which the text is fit to print, whatever paths and units
// hold.
type printable struct{ error }

func (e *printable) Error() string { return term.Show(e.error.Error()) }
func (e *printable) Unwrap() error { return e.error }

// A plan is a program as it would run.
type plan struct {
	facts     facts.Facts // of the program once it is started
	raises    program.Answer[bool]
	inherits  program.Answer[bool]
	offers    []privport.Offer
	unstarted []privport.Offer         // of .socket units that are not started
	doubt     func(kernel.Goal) string // why it cannot be told, "" where it can
	remote    bool                     // it has a network namespace that this process cannot ask

	sockets facts.Fact[[]facts.Socket] // of this network namespace, where systemd binds the offers

	notes []string
}

// predict is how the bind would go.
func (p *plan) predict(r *request) {
	ctx := context.Background()
	at, err := lookup(ctx, r.target)
	if err != nil {
		r.err = &net.OpError{Op: "listen", Net: r.network, Err: err}
		return
	}
	g := kernel.Goal{Network: r.network, Addr: at, Port: r.target.Port, Raises: !program.Is(p.raises, false), MPTCP: probedMPTCP(&p.facts)}
	defer func() { r.goal = g }()
	i, note := privport.Choose(ctx, r.network, r.address, p.offers)
	starts := kernel.Executes(&p.facts) == kernel.Yes
	if i >= 0 && starts && !p.inherits.Known() {
		r.untold(p.inherits.Why, g.Protocol() == "udp", at)
		return
	}
	if i >= 0 && starts && p.inherits.Value {
		r.how.Via = privport.Inherited
		if note != "" {
			p.notes = append(p.notes, note)
		}
		p.inherit(r, p.offers[i], g.Protocol() == "udp", at)
		return
	}
	if at.IsValid() && !p.remote {
		switch err := live.Takes(at); {
		case err == nil:
			g.Takes = true
		case errors.Is(err, syscall.EADDRNOTAVAIL):
			p.facts.Net.Addresses.Value = slices.DeleteFunc(slices.Clone(p.facts.Net.Addresses.Value), func(a netip.Addr) bool { return a == at.WithZone("") })
		}
	}
	done, err := decide(&p.facts, g)
	why := p.doubt(g)
	switch {
	case done.unstarted: // whatever else is unsure
	case why != "":
	case err != nil:
		why = err.Error()
	case done.errno == "":
		done.errno, why = p.beside(g)
	}
	behind := done.errno == "" || done.errno == "EADDRINUSE" || done.errno == "EADDRNOTAVAIL" && !at.Is4() // what the kernel asks after the port
	if behind && done.via == privport.Raised && why == "" && !p.raises.Known() {
		done.via, why = privport.Plain, p.raises.Why
	}
	if i, _ := privport.Choose(ctx, r.network, r.address, p.unstarted); i >= 0 && done.errno != "" && why == "" && !program.Is(p.inherits, false) {
		why = "a .socket unit that is not started would pass the socket: start it first"
	}
	if r.how.Via = done.via; why != "" {
		r.untold(why, done.udp, at)
		return
	}
	r.fails(done, at)
}

// inherit is how systemd's bind of the socket that it offers would go.
func (p *plan) inherit(r *request, o privport.Offer, udp bool, at netip.Addr) {
	if why := p.doubt(kernel.Goal{}); why != "" {
		r.untold(why, udp, at)
		return
	}
	if p.sockets.State != facts.Known {
		r.untold("whether systemd can bind the socket could not be read", udp, at)
		return
	}
	switch p.taken(o) {
	case kernel.Unknown:
		r.untold("whether another socket is in systemd's way could not be read", udp, at)
	case kernel.Yes:
		r.fails(outcome{errno: "EADDRINUSE", udp: udp}, at)
	}
}

func (r *request) untold(why string, udp bool, at netip.Addr) {
	r.err = &net.OpError{Op: "listen", Net: r.network, Addr: netAddr(udp, at, r.target.Port), Err: &untold{why}}
}

// beside asks the kernel whether a socket that has the port, and does not listen,
// is in the way of a listener: whether it was made with SO_REUSEADDR cannot be
// seen.
func (p *plan) beside(g kernel.Goal) (errno, why string) {
	g.Refused.Errno = syscall.EADDRINUSE
	if p.remote || !slices.ContainsFunc(p.facts.Net.Sockets.Value, func(s facts.Socket) bool { return kernel.Conflicts(s, g) != kernel.No }) {
		return "", ""
	}
	at := g.Addr
	if !at.IsValid() && g.Network == g.Protocol()+"4" {
		at = netip.IPv4Unspecified()
	}
	switch err := live.Excludes(at, g.Port, g.Network == g.Protocol()+"6"); {
	case err == nil:
		return "", ""
	case errors.Is(err, syscall.EADDRINUSE):
		return "EADDRINUSE", ""
	default:
		return "", "a socket that does not listen has the port, and only a bind shows whether it excludes others"
	}
}

// taken says whether somebody else has the port that systemd is to bind.
func (p *plan) taken(o privport.Offer) kernel.Answer {
	g := kernel.Goal{Network: o.Network, Addr: o.Addr.Addr(), Port: int(o.Addr.Port())}
	if o.Both {
		g.Network = o.Network[:len("tcp")]
	}
	taken := kernel.No
	for _, s := range p.sockets.Value {
		if s.PID != 1 && !strings.HasSuffix(s.Cgroup, ".socket") {
			taken = kernel.Or(taken, kernel.Conflicts(s, g))
		}
	}
	return taken
}

// lookup is the address that net.Listen would take of a target: the first of
// IPv4, else the first.
func lookup(ctx context.Context, t privport.Target) (netip.Addr, error) {
	if at, err := literal(t); err == nil {
		return at, nil
	}
	all, err := net.DefaultResolver.LookupNetIP(ctx, "ip"+strings.TrimLeft(t.Network, "tcpud"), t.Host)
	if err != nil {
		return netip.Addr{}, err
	}
	at := all[0]
	for _, a := range all {
		if a.Unmap().Is4() {
			at = a
			break
		}
	}
	return at.Unmap(), nil
}

// supported says whether a start can be predicted here.
func supported() error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("a preflight on %s: %w", runtime.GOOS, errors.ErrUnsupported)
	}
	return nil
}
