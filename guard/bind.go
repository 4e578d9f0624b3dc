package guard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"

	"github.com/lowport/lowport/internal/explain"
	"github.com/lowport/lowport/internal/machine"
	"github.com/lowport/lowport/internal/rules"
	"github.com/lowport/lowport/privport"
)

// An Option changes how [Bind] binds.
type Option func(*options)

type options struct {
	network string
	report  *Report
}

// Network chooses "tcp4" or "tcp6" instead of "tcp", which is both.
func Network(network string) Option { return func(o *options) { o.network = network } }

// ReportTo fills in r whether the bind succeeds or not: how it succeeded (Via)
// and what was surprising about it (Notes), or why it did not.
func ReportTo(r *Report) Option { return func(o *options) { o.report = r } }

// Bind listens on a TCP address as net.Listen does, with the least privilege
// that suffices. The port is a number or a name, ":443" or ":https"; port 0,
// which is no port in particular, is refused. Where the bind fails the error is
// an *[Error].
func Bind(address string, opts ...Option) (net.Listener, error) {
	o := options{network: "tcp"}
	for _, opt := range opts {
		opt(&o)
	}
	ln, r, err := bind(o.network, address)
	if o.report != nil {
		*o.report = r
	}
	if err != nil {
		return nil, &Error{Report: r, err: err}
	}
	return ln, nil
}

// MustBind is Bind for a main function: where it fails the report goes to
// standard error and the program exits with the code of [Error.ExitCode].
func MustBind(address string, opts ...Option) net.Listener {
	ln, err := Bind(address, opts...)
	must(err)
	return ln
}

// must ends the program on a refusal.
func must(err error) {
	if err == nil {
		return
	}
	text, code := fmt.Sprintln(err), exitNoPerm
	var refused *Error
	if errors.As(err, &refused) {
		text, code = refused.Report.String(), refused.ExitCode()
	}
	fmt.Fprint(os.Stderr, text)
	os.Exit(code)
}

func bind(network, address string) (net.Listener, Report, error) {
	ctx := context.Background()
	subject := "bind " + explain.Show(network) + " " + explain.Show(address)
	target, err := privport.Parse(ctx, network, address)
	if err != nil {
		g := rules.Goal{Network: network}
		return nil, refusal(subject, "listen "+explain.Show(network)+" "+explain.Show(address)+": malformed address", err, explain.Bind(machine.Facts{}, g, err), machine.Facts{}, g), err
	}
	ln, via, err := privport.Listen(ctx, network, target.String())
	if err == nil {
		r := success(subject, string(via))
		r.Notes = append(r.Notes, surprises(target, ln.Addr())...)
		return ln, r, nil
	}
	g := rules.Goal{Network: network, Port: target.Port, Addr: refusedAddr(err), Raised: via == privport.Raised, InUse: errors.Is(err, syscall.EADDRINUSE)}
	f := machine.Live(target.Port).Facts()
	headline := "listen " + network + " " + explain.Show(address)
	var errno syscall.Errno
	if errors.As(err, &errno) {
		headline += ": " + errno.Error()
	}
	return nil, refusal(subject, headline, err, explain.Bind(f, g, err), f, g), err
}

// refusedAddr is the address that the kernel was asked for.
func refusedAddr(err error) netip.Addr {
	var op *net.OpError
	if errors.As(err, &op) {
		if a, ok := op.Addr.(*net.TCPAddr); ok && a != nil {
			ip, _ := netip.AddrFromSlice(a.IP)
			return ip.Unmap().WithZone(a.Zone)
		}
	}
	return netip.Addr{}
}

// surprises compares what came back with what was asked. Go turns every address
// into every IPv4 address where it finds IPv6 refused.
func surprises(t privport.Target, got net.Addr) []string {
	a, ok := got.(*net.TCPAddr)
	if ok && t.Host == "" && t.Network == "tcp" && a.IP.Equal(net.IPv4zero) {
		return []string{fmt.Sprintf("asked for every address of port %d, got the IPv4 ones alone (%s): IPv6 is off or refused here", t.Port, got)}
	}
	return nil
}

func success(subject, via string) Report {
	return Report{Subject: subject, OK: true, Via: via, Causes: []Cause{}, Facts: []Fact{}, Fixes: []Fix{}, Unhelpful: []string{}, Notes: []string{}}
}
