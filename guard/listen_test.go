package guard_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/lowport/lowport/guard"
)

// whereBound is the network and the host of a socket, and whether it got a port.
func whereBound(s io.Closer, err error) string {
	if err != nil {
		return "refused"
	}
	defer s.Close()
	var a net.Addr
	switch s := s.(type) {
	case net.Listener:
		a = s.Addr()
	case net.PacketConn:
		a = s.LocalAddr()
	}
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.Network() // of a unix socket
	}
	return fmt.Sprint(a.Network(), " ", host, " ", port != "0")
}

// Whatever package net takes, Listen and ListenPacket take, with the same result.
func TestListenAsNet(t *testing.T) {
	ctx := context.Background()
	var lc net.ListenConfig
	ports := []string{
		"", ":", ":0", "127.0.0.1:0", "127.0.0.1:", "[::1]:0", "[::]:0", "0.0.0.0:0", "localhost:0",
		"443", "::1:0", "[::1]", ":65536", ":-1", "192.0.2.1:0", "[::1%lo]:0",
	}
	for _, network := range []string{"tcp", "tcp4", "tcp6", "", "tcp5"} {
		for _, address := range ports {
			ln, err := guard.Listen(ctx, network, address)
			got := whereBound(ln, err)
			ln, errNet := lc.Listen(ctx, network, address)
			if want := whereBound(ln, errNet); got != want {
				t.Errorf("Listen %q %q: %s (%v), package net: %s (%v)", network, address, got, err, want, errNet)
			}
		}
	}
	for _, network := range []string{"udp", "udp4", "udp6", "udplite"} {
		for _, address := range ports {
			c, err := guard.ListenPacket(ctx, network, address)
			got := whereBound(c, err)
			c, errNet := lc.ListenPacket(ctx, network, address)
			if want := whereBound(c, errNet); got != want {
				t.Errorf("ListenPacket %q %q: %s (%v), package net: %s (%v)", network, address, got, err, want, errNet)
			}
		}
	}
}

// Of unix sockets each sort is made, at a path and in the abstract namespace.
func TestListenUnix(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	addresses := []string{filepath.Join(dir, "socket")}
	if runtime.GOOS == "linux" {
		addresses = append(addresses, "@"+dir)
	}
	for _, address := range addresses {
		for _, network := range []string{"unix", "unixpacket"} {
			if network == "unixpacket" && runtime.GOOS != "linux" {
				continue
			}
			ln, err := guard.Listen(ctx, network, address)
			if got := whereBound(ln, err); got != network {
				t.Errorf("%s %s: %s, %v", network, address, got, err)
			}
		}
		c, err := guard.ListenPacket(ctx, "unixgram", address)
		if got := whereBound(c, err); got != "unixgram" {
			t.Errorf("unixgram %s: %s, %v", address, got, err)
		}
	}
	if _, err := guard.Listen(ctx, "unixgram", addresses[0]); err == nil {
		t.Error("a datagram socket listens")
	}
	if _, err := guard.ListenPacket(ctx, "unix", addresses[0]); err == nil {
		t.Error("a stream socket is for packets")
	}
}

// A unix socket has nothing to do with ports, and the error is that of package net.
func TestListenUnixRefused(t *testing.T) {
	var r guard.Report
	_, err := guard.Listen(context.Background(), "unix", filepath.Join(t.TempDir(), "none", "x"), guard.ReportTo(&r))
	var op *net.OpError
	refused := (*guard.Error)(nil)
	if !errors.As(err, &op) || errors.As(err, &refused) || r.OK || r.Error != err.Error() || len(r.Causes) != 0 {
		t.Errorf("%#v, %+v", err, r)
	}
}

// Bind and BindPacket take what Listen and ListenPacket take.
func TestBindAnyPort(t *testing.T) {
	ln, err := guard.Bind("127.0.0.1:0")
	if got := whereBound(ln, err); got != "tcp 127.0.0.1 true" {
		t.Errorf("%s, %v", got, err)
	}
	c, err := guard.BindPacket("127.0.0.1:0", guard.Network("udp4"))
	if got := whereBound(c, err); got != "udp 127.0.0.1 true" {
		t.Errorf("%s, %v", got, err)
	}
	s, err := guard.BindAll(context.Background(), []string{"127.0.0.1:0", "udp/127.0.0.1:0"})
	if err != nil || s.Listeners[0].Addr().(*net.TCPAddr).Port == 0 || s.PacketConns[0].LocalAddr().(*net.UDPAddr).Port == 0 {
		t.Errorf("%+v, %v", s, err)
	} else {
		s.Close()
	}
}
