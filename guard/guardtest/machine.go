package guardtest

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/guard/recording"
	"github.com/lowport/lowport/internal/ask"
	"github.com/lowport/lowport/internal/txtar"
)

// A Machine is the text of a recording from [recording.Make] or `doctor -record`.
// It may be read from a file or written as a literal: what it leaves out counts
// as unreadable.
type Machine string

// Bind is [guard.Bind] on this machine. Where the bind is allowed there, a
// listener on a free port of the loopback interface here stands in for it; where
// it is refused, the error is that of guard.Bind. Any other error means that the
// recording cannot be read, or does not tell.
func (m Machine) Bind(address string, opts ...guard.Option) (net.Listener, error) {
	opts = append([]guard.Option{guard.Network("tcp")}, opts...)
	if !fits("tcp", address, opts) {
		return guard.Bind(address, opts...)
	}
	if err := recording.Replay([]byte(m), address, opts...); err != nil {
		return nil, err
	}
	return net.Listen("tcp", "127.0.0.1:0")
}

// BindPacket is [guard.BindPacket] on this machine, as Bind.
func (m Machine) BindPacket(address string, opts ...guard.Option) (net.PacketConn, error) {
	opts = append([]guard.Option{guard.Network("udp")}, opts...)
	if !fits("udp", address, opts) {
		return guard.BindPacket(address, opts...)
	}
	if err := recording.Replay([]byte(m), address, opts...); err != nil {
		return nil, err
	}
	return net.ListenPacket("udp", "127.0.0.1:0")
}

// Listen is [guard.Listen] on this machine, as Bind. A recording has nothing about unix
// sockets: these are made here.
func (m Machine) Listen(ctx context.Context, network, address string, opts ...guard.Option) (net.Listener, error) {
	if !strings.HasPrefix(network, "tcp") {
		return guard.Listen(ctx, network, address, opts...)
	}
	return m.Bind(address, append(slices.Clip(opts), guard.Network(network))...)
}

// ListenPacket is [guard.ListenPacket] on this machine, as Listen.
func (m Machine) ListenPacket(ctx context.Context, network, address string, opts ...guard.Option) (net.PacketConn, error) {
	if !strings.HasPrefix(network, "udp") {
		return guard.ListenPacket(ctx, network, address, opts...)
	}
	return m.BindPacket(address, append(slices.Clip(opts), guard.Network(network))...)
}

// BindAll is [guard.BindAll] on this machine, as Bind.
func (m Machine) BindAll(ctx context.Context, addresses []string, opts ...guard.Option) (*guard.Sockets, error) {
	if len(addresses) == 0 {
		return guard.BindAll(ctx, nil, opts...)
	}
	if err := recording.ReplayAll([]byte(m), addresses, opts...); err != nil {
		return nil, err
	}
	var standIns []string
	for _, address := range addresses {
		r := ask.Named(address)
		r.On(ask.With(opts).Network)
		standIns = append(standIns, r.Network[:len("tcp")]+"/127.0.0.1:0")
	}
	return guard.BindAll(ctx, standIns)
}

// fits reports whether the network, which the options may choose, is one of the
// protocol, and the address names none of its own as it may for Replay. What does
// not fit guard refuses before it asks a kernel.
func fits(protocol, address string, opts []guard.Option) bool {
	var r guard.Report
	_ = recording.Replay([]byte(Root), ":1", append(slices.Clip(opts), guard.ReportTo(&r))...)
	return strings.HasPrefix(r.Subject, "bind "+protocol) && !strings.Contains(address, "/")
}

// Require is [guard.Require] on this machine.
func (m Machine) Require(need ...caps.Cap) error {
	return recording.ReplayRequire([]byte(m), need...)
}

// With returns the machine with one item of its evidence changed, such as
//
//	guardtest.OrdinaryUser.With("proc/sys/net/ipv4/ip_unprivileged_port_start", "0\n")
//
// or added. How binds went on the recorded machine no longer counts then: the
// kernel's rules decide.
func (m Machine) With(item, data string) Machine {
	a := txtar.Parse([]byte(m))
	a.Comment = fmt.Appendf(nil, "# changed: %s\n", item)
	files := []txtar.File{{Name: item, Data: []byte(data)}}
	for _, f := range a.Files {
		if name, _, _ := strings.Cut(f.Name, ": "); name != item {
			files = append(files, f)
		}
	}
	a.Files = files
	return Machine(txtar.Format(a))
}
