package rules_test

import (
	"errors"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"testing"

	"github.com/lowport/lowport/internal/machine"
	. "github.com/lowport/lowport/internal/rules"
)

// The kernel is asked: one listener on each kind of address, then another on
// the same port. Free says beforehand, from what can be seen, which of them the
// kernel refuses as in use.
func TestFreeAgreesWithKernel(t *testing.T) {
	kinds := []struct{ network, host string }{
		{"tcp", ""}, {"tcp4", ""}, {"tcp6", ""},
		{"tcp", "0.0.0.0"}, {"tcp4", "0.0.0.0"}, {"tcp", "::"}, {"tcp6", "::"},
		{"tcp", "127.0.0.1"}, {"tcp", "127.0.0.2"}, {"tcp4", "127.0.0.1"},
		{"tcp", "::1"}, {"tcp6", "::1"}, {"tcp", "::ffff:127.0.0.1"},
	}
	refused := 0
	for _, has := range kinds {
		first, err := net.Listen(has.network, net.JoinHostPort(has.host, "0"))
		if err != nil {
			t.Fatalf("%v: %v", has, err)
		}
		port := first.Addr().(*net.TCPAddr).Port
		f := machine.Live(port).Facts()
		for _, wants := range kinds {
			g := Goal{Network: wants.network, Port: port}
			if wants.host != "" {
				g.Addr = netip.MustParseAddr(wants.host).Unmap()
			}
			second, err := net.Listen(wants.network, net.JoinHostPort(wants.host, strconv.Itoa(port)))
			switch {
			case err == nil:
				second.Close()
			case !errors.Is(err, syscall.EADDRINUSE):
				t.Fatalf("%v: %v", wants, err)
			default:
				refused++
			}
			if got := Free(f, g); (got == Yes) != (err == nil) || got == Unknown {
				t.Errorf("%v then %v: the kernel says %v, Free says %v", has, wants, err, got)
			}
		}
		first.Close()
	}
	if refused == 0 {
		t.Error("nothing was in use: this test sees nothing")
	}
}

// Only listeners stand in the way: a connection on the port does not.
func TestFreeBesideConnection(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp4", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	server, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	addr := ln.Addr().(*net.TCPAddr).AddrPort()
	ln.Close()
	f := machine.Live(int(addr.Port())).Facts()
	if len(f.Sockets.Value) == 0 {
		t.Errorf("the connection on %v is not seen", addr)
	}
	if got := Free(f, Goal{Network: "tcp4", Addr: addr.Addr(), Port: int(addr.Port())}); got != Yes {
		t.Errorf("Free = %v beside %+v", got, f.Sockets.Value)
	}
	again, err := net.Listen("tcp4", addr.String())
	if err != nil {
		t.Fatalf("the kernel: %v", err)
	}
	again.Close()
}
