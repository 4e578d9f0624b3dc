package guard

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/archive"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/txtar"
	"github.com/lowport/lowport/privport"
)

// Replay does what the bind of one address did on a recorded machine, without a
// kernel and on every system: it returns nil where the bind was allowed, and the
// *[Error] of [Bind] where it was refused. The address is as for [BindAll]. With
// [ReportTo] there is a report either way.
//
// For the recorded address the outcome is the recorded one. For any other it is
// what the kernel's rules make of the evidence; where that does not suffice, or
// the recording cannot be read, the error is not an *[Error].
func Replay(recording []byte, address string, opts ...Option) error {
	f, went, err := load(recording)
	if err != nil {
		return err
	}
	all, o := single(address, opts)
	if err := all[0].replay(f, went); err != nil {
		return err
	}
	r := reported(all, func(...int) facts.Facts { return f })
	if o.report != nil {
		*o.report = r
	}
	if err := all[0].err; err != nil {
		return &Error{Report: r, Err: err}
	}
	return nil
}

// ReplayRequire does what [Require] did on a recorded machine, on every system.
func ReplayRequire(recording []byte, need ...caps.Cap) error {
	f, _, err := load(recording)
	if err != nil {
		return err
	}
	return require(caps.SetOf(need...), f)
}

// load reads a recording: the facts, and how binds went.
func load(recording []byte) (facts.Facts, []outcome, error) {
	record, err := archive.Load(recording)
	if err != nil {
		return facts.Facts{}, nil, err
	}
	var went []outcome
	for line := range strings.Lines(string(txtar.Parse(recording).Comment)) {
		if !strings.HasPrefix(line, "bind ") {
			continue
		}
		o, err := parseOutcome(line)
		if err != nil {
			return facts.Facts{}, nil, err
		}
		went = append(went, o)
	}
	return record.Facts(), went, nil
}

// replay is bindEach on a recorded machine: it notes how the bind went. The error
// is that it cannot be told.
func (r *request) replay(f facts.Facts, went []outcome) error {
	if r.target, r.err = r.parse(context.Background()); r.err != nil {
		return nil
	}
	var at netip.Addr
	if at, r.err = literal(r.target); r.err != nil {
		return nil
	}
	r.goal = kernel.Goal{Network: r.network, Addr: at, Port: r.target.Port, Raises: true, MPTCP: probedMPTCP(&f)}
	done, err := decide(&f, r.goal)
	for _, o := range went {
		if o.port == done.port && o.addr == done.addr && o.udp == done.udp {
			done, err = o, nil
		}
	}
	if err != nil {
		return fmt.Errorf("recording: %w", err)
	}
	r.how.Via = done.via
	r.fails(done, at)
	return nil
}

// probedMPTCP reports whether the program tried MPTCP first: it was probed then.
func probedMPTCP(f *facts.Facts) bool {
	return slices.ContainsFunc(f.Policy.Probes.Value, func(p facts.Probe) bool { return strings.HasPrefix(p.Network, "mptcp") })
}

// fails gives the request the error that the kernel would have answered with.
func (r *request) fails(done outcome, at netip.Addr) {
	if done.errno == "" {
		return
	}
	call := "bind"
	if done.unstarted {
		call = "execve"
	}
	errno, _ := kernel.Errno(done.errno)
	r.err = &net.OpError{Op: "listen", Net: r.network, Addr: netAddr(done.udp, at, r.target.Port), Err: os.NewSyscallError(call, errno)}
}

func netAddr(udp bool, at netip.Addr, port int) net.Addr {
	if udp {
		return &net.UDPAddr{IP: at.AsSlice(), Port: port, Zone: at.Zone()}
	}
	return &net.TCPAddr{IP: at.AsSlice(), Port: port, Zone: at.Zone()}
}

// literal is the address of the target; the zero Addr is every address. A
// recording does not know what a name stands for.
func literal(t privport.Target) (netip.Addr, error) {
	switch t.Host {
	case "":
		return netip.Addr{}, nil
	case "localhost":
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil
	}
	a, err := netip.ParseAddr(t.Host)
	if err != nil {
		return a, &net.OpError{Op: "listen", Net: t.Network, Err: &net.DNSError{Err: "names are not recorded", Name: t.Host}}
	}
	if a = a.Unmap(); a.IsUnspecified() {
		return netip.Addr{}, nil
	}
	return a, nil
}

// decide says how the kernel would have decided over a bind that was not tried.
func decide(f *facts.Facts, g kernel.Goal) (outcome, error) {
	done, err := kernel.Predict(kernel.Worlds(f, g), g)
	o := outcome{udp: g.Protocol() == "udp", addr: g.Addr, port: g.Port, via: privport.Plain, errno: done.Errno, unstarted: !done.Executed}
	if done.Raised {
		o.via = privport.Raised
	}
	if err == nil && !kernel.IsErrno(o.errno) {
		err = fmt.Errorf("what the probes were refused with is no errno of this system: %s", o.errno)
	}
	return o, err
}
