package preflight

import (
	"cmp"
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
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/ask"
	"github.com/lowport/lowport/internal/errnos"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/live"
	"github.com/lowport/lowport/internal/predict"
	"github.com/lowport/lowport/internal/program"
	"github.com/lowport/lowport/internal/term"
	"github.com/lowport/lowport/privport"
)

// A Launch says how a program is going to be started.
type Launch struct {
	Binary string // its path, or that of a script or wrapper which starts it; "" for that of the unit
	User   string // the name or number of the user it is started as, by setpriv, su or sudo; "" for who runs this
	Unit   string // the path of the .service file by which systemd starts it, of a template with an instance; "" for a start from here
	Guard  Guard  // whether the program has this guard; by default what its file shows

	Container *Container // by which an engine starts it, where it is not started on this machine; Binary is then a path of its image, or ""
}

// Guard reports whether a program binds by package guard. One that does raises a capability of
// its file, and takes the sockets that systemd passes.
type Guard string

const (
	AsBuilt   Guard = ""    // what the program's file shows
	Guarded   Guard = "yes" // it does
	Unguarded Guard = "no"  // it does not
)

// Bind predicts what guard.Bind would do with these addresses in a program that is
// started as how says, before it runs anywhere, and returns the report. If the bind would
// be refused, or that cannot be told, the error is a *[report.Error] as from guard.Bind.
// The addresses are as for guard.BindAll. Bind listens on none of them.
//
// The decision is made by the same rules, from the file's capabilities, mode and
// mount and from what the starter holds. The starter is this process, perhaps
// changed to another user, or for a unit systemd, with what the unit, its
// drop-ins and its .socket units say; where no systemd runs, the .socket units are taken to be
// started. It looks whether the addresses are free now.
//
// What a program does to itself, and what a security policy or a BPF program does
// to a unit, cannot be seen from outside. What refuses this process binds that
// need no privilege is taken to refuse a program that it starts as well.
//
// What executes the program counts as well: scripts, as far as they only set things up
// and end in a program, and wrappers such as taskset or gosu. Of any other program that is
// given the path of a program it cannot be told what it runs.
//
// Any other error means that nothing would be started (for the file it wraps
// [fs.ErrNotExist] or [fs.ErrPermission]), that systemd would not leave it running,
// or that the machine or the unit could not be read; off Linux it wraps [errors.ErrUnsupported].
func Bind(how Launch, addresses ...string) (report.Report, error) {
	var all []ask.Request
	for _, a := range addresses {
		r := ask.Named(a)
		r.On(nil)
		all = append(all, r)
	}
	subject := "bind " + ask.List(all)
	for i := range all {
		r := &all[i]
		if r.Target, r.Err = r.Parse(context.Background()); r.Err != nil {
			return predicted(ask.Malformed(subject, *r), r.Err, nil)
		}
	}
	p, err := how.readable(ask.Ports(all)...)
	if err != nil {
		return report.Report{}, &printable{err}
	}
	for i := range all {
		p.predict(&all[i])
		p.differs(&all[i])
	}
	ask.Foretold(all)
	r := ask.Report(all, func([]ask.Request) facts.Facts { return p.facts })
	p.unfit(&r, all)
	p.soften(&r)
	return predicted(r, firstErr(all), p.notes)
}

// Require predicts what guard.Require would do in a program, as [Bind] does for
// guard.Bind.
func Require(how Launch, need ...caps.Cap) (report.Report, error) {
	p, err := how.readable()
	if err != nil {
		return report.Report{}, &printable{err}
	}
	g := kernel.Goal{Require: caps.SetOf(need...)}
	if why := cmp.Or(p.doubt(g), p.differ(g)); why != "" {
		err := &ask.Untold{Why: why}
		subject := "require " + g.Require.String()
		return predicted(ask.Refusal(subject, subject+": could not tell", err, kernel.Untold(&p.facts, g, why), p.facts), err, p.notes)
	}
	err = ask.Require(g.Require, p.facts)
	var refused *report.Error
	if errors.As(err, &refused) {
		p.soften(&refused.Report)
		return predicted(refused.Report, refused.Err, p.notes)
	}
	return predicted(ask.Success("require "+g.Require.String(), ""), nil, p.notes)
}

// predicted says of a report that it is a prediction.
func predicted(r report.Report, err error, notes []string) (report.Report, error) {
	r.Subject, r.Headline = "preflight "+r.Subject, "preflight: "+r.Headline
	for _, n := range notes {
		r.Notes = append(r.Notes, term.Show(n))
	}
	if err != nil {
		return r, &report.Error{Report: r, Err: err}
	}
	return r, nil
}

func firstErr(all []ask.Request) error {
	for _, r := range all {
		if r.Err != nil {
			return r.Err
		}
	}
	return nil
}

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
	mptcp     bool // its listeners try MPTCP first
	offers    []privport.Offer
	unstarted []privport.Offer         // of .socket units that are not started
	pulled    bool                     // the unit starts some of them itself
	doubt     func(kernel.Goal) string // why it cannot be told, "" where it can
	grants    string                   // which command before it may give it what it lacks, "" for none
	rewrites  string                   // which command before it may take away what its file grants, "" for none
	remote    bool                     // it has a network namespace that this process cannot ask

	sockets facts.Fact[[]facts.Socket] // of this network namespace, where systemd binds the offers

	notes []string

	others []other // what it may be as well, as something was not said
}

// predict is how the bind would go.
func (p *plan) predict(r *ask.Request) {
	ctx := context.Background()
	at, err := lookup(ctx, r.Target)
	if err != nil {
		r.Err = &net.OpError{Op: "listen", Net: r.Network, Err: err}
		return
	}
	g := kernel.Goal{Network: r.Network, Addr: at, Port: r.Target.Port, Raises: !program.Is(p.raises, false), Inherit: program.Is(p.inherits, true), MPTCP: p.mptcp && predict.TriesMPTCP(&p.facts)}
	if kernel.SocketErrno(&p.facts, kernel.Goal{Network: g.Protocol() + "6"}) != "" && g.Network == g.Protocol() && !at.IsValid() {
		g.Network += "4" // as Go does where IPv6 is not to be had
	}
	if capset, ok := errnos.Of(p.facts.Launch.Capset); ok && g.Raises {
		g.Refused.Capset = capset
	}
	defer func() { r.Goal = g }()
	i, note := privport.Choose(ctx, r.Network, r.Address, p.offers)
	starts := kernel.Executes(&p.facts) == kernel.Yes
	if i >= 0 && starts && !p.inherits.Known() {
		untellable(r, p.inherits.Why, g.Protocol() == "udp", at)
		return
	}
	if i >= 0 && starts && p.inherits.Value && p.privileged() && (note != "" || p.remote) {
		untellable(r, "a program whose file gives it privileges takes only a socket that is exactly what it would bind", g.Protocol() == "udp", at)
		return
	}
	if i >= 0 && starts && p.inherits.Value {
		r.How.Via = privport.Inherited
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
	done, err := predict.Decide(&p.facts, g)
	done.Capset = p.facts.Launch.Capset
	why := p.doubt(g)
	switch {
	case done.Unstarted: // whatever else is unsure
	case why != "":
	case err != nil:
		why = err.Error()
	case done.Errno == "":
		done.Errno, why = p.beside(g)
	case done.Errno == "EPERM" && kernel.RefusesLate(&p.facts, g): // the port is asked for before
		taken := ""
		if taken, why = p.beside(g); taken != "" {
			done.Errno = taken
		}
	}
	if done.Errno == "" {
		why = cmp.Or(why, p.rewrites)
	}
	behind := done.Errno == "" || done.Errno == "EADDRINUSE" || done.Errno == "EADDRNOTAVAIL" && !at.Is4() // what the kernel asks after the port
	if behind && done.Via == privport.Raised && why == "" && !p.raises.Known() {
		done.Via, why = privport.Plain, p.raises.Why
	}
	if i, _ := privport.Choose(ctx, r.Network, r.Address, p.unstarted); i >= 0 && done.Errno != "" && why == "" && !program.Is(p.inherits, false) && (p.pulled || !p.inherits.Known()) {
		why = "a .socket unit that is not started would pass the socket: start it first"
	}
	if r.How.Via = done.Via; why != "" {
		untellable(r, why, done.UDP, at)
		return
	}
	predict.Fail(r, done, at)
}

// privileged reports whether the program's file may give it what its starter has not
// (AT_SECURE).
func (p *plan) privileged() bool {
	file, ok := p.facts.File.Installed.Caps.Is()
	stat, okStat := p.facts.File.Installed.Stat.Is()
	return ok && file.Permitted|file.Inheritable != 0 || okStat && stat.Setid()
}

// unfit looks for a socket of the unit's own that has the port of a refused request, and is not what
// that asks for: its line is to be changed. To stop the .socket unit helps until it is started again.
func (p *plan) unfit(r *report.Report, all []ask.Request) {
	if !program.Is(p.inherits, true) {
		return
	}
	var found []privport.Mismatch
	for _, q := range all {
		for _, o := range p.offers {
			m, ok := o.Mismatch(context.Background(), q.Network, q.Address)
			if ok && errors.Is(q.Err, syscall.EADDRINUSE) && q.Clash == "" && !p.foreign(q.Goal) {
				found = append(found, m)
				p.note(m.String())
			}
		}
	}
	if len(found) != 1 {
		return
	}
	r.Fixes = slices.DeleteFunc(r.Fixes, func(f report.Fix) bool { return f.ID == "stop-owner" })
	r.Fixes = slices.Insert(r.Fixes, 0, ask.SocketLine(found[0]))
}

// soften says of causes that a command before the program may remove that they are likely, and of the
// changes of its file and its unit that they depend on a command that may change the file.
func (p *plan) soften(r *report.Report) {
	for i, c := range r.Causes {
		if p.grants != "" && c.Certainty == report.Proven {
			r.Causes[i].Certainty = report.Likely
		}
	}
	for i, f := range r.Fixes {
		if p.rewrites != "" && f.Depends == "" && (f.Scope == "file" || f.Scope == "unit") {
			r.Fixes[i].Depends = "if the command before the program leaves its file as it is"
		}
	}
}

// foreign reports whether a socket that is not systemd's may be in the way.
func (p *plan) foreign(g kernel.Goal) bool {
	return slices.ContainsFunc(p.facts.Net.Sockets.Value, func(s facts.Socket) bool {
		return s.PID != 1 && !strings.HasSuffix(s.Cgroup, ".socket") && kernel.Conflicts(s, g) != kernel.No
	})
}

// inherit is how systemd's bind of the socket that it offers would go.
func (p *plan) inherit(r *ask.Request, o privport.Offer, udp bool, at netip.Addr) {
	if why := p.doubt(kernel.Goal{}); why != "" {
		untellable(r, why, udp, at)
		return
	}
	if p.sockets.State != facts.Known {
		untellable(r, "whether systemd can bind the socket could not be read", udp, at)
		return
	}
	switch p.taken(o) {
	case kernel.Unknown:
		untellable(r, "whether another socket is in systemd's way could not be read", udp, at)
	case kernel.Yes:
		predict.Fail(r, predict.Outcome{Errno: "EADDRINUSE", UDP: udp}, at)
	}
}

// untellable gives the request the error that it cannot be told.
func untellable(r *ask.Request, why string, udp bool, at netip.Addr) {
	r.Err = &net.OpError{Op: "listen", Net: r.Network, Addr: predict.NetAddr(udp, at, r.Target.Port), Err: &ask.Untold{Why: why}}
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
	case errors.Is(err, syscall.EPERM) && kernel.RefusesLate(&p.facts, g): // it was bound
		return "", ""
	default:
		return "", "a socket that does not listen has the port, and only a bind shows whether it excludes others"
	}
}

// taken reports whether somebody else has the port that systemd is to bind.
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
	if at, err := predict.Literal(t); err == nil {
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

// supported reports whether a start can be predicted here.
func supported() error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("a preflight on %s: %w", runtime.GOOS, errors.ErrUnsupported)
	}
	return nil
}
