package kernel_test

import (
	"errors"
	. "github.com/lowport/lowport/internal/kernel"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"testing"

	"github.com/lowport/lowport/internal/live"
	"github.com/lowport/lowport/internal/needs"
)

// hold binds a TCP or UDP address, and returns its port and how to let go.
func hold(network, host string, port int) (int, func() error, error) {
	address := net.JoinHostPort(host, strconv.Itoa(port))
	if network[:3] == "udp" {
		c, err := net.ListenPacket(network, address)
		if err != nil {
			return 0, nil, err
		}
		return c.LocalAddr().(*net.UDPAddr).Port, c.Close, nil
	}
	ln, err := net.Listen(network, address)
	if err != nil {
		return 0, nil, err
	}
	return ln.Addr().(*net.TCPAddr).Port, ln.Close, nil
}

// The kernel is asked: one listener on each kind of address, then another on
// the same port. Free says beforehand, from what can be seen, which of them the
// kernel refuses as in use.
func TestFreeAgreesWithKernel(t *testing.T) {
	ipv6 := needs.IPv6(t)
	for _, protocol := range []string{"tcp", "udp"} {
		t.Run(protocol, func(t *testing.T) { freeAgrees(t, protocol, ipv6) })
	}
}

func freeAgrees(t *testing.T, protocol string, ipv6 bool) {
	type kind struct{ network, host string }
	kinds := []kind{
		{"tcp", ""}, {"tcp4", ""}, {"tcp", "0.0.0.0"}, {"tcp4", "0.0.0.0"},
		{"tcp", "127.0.0.1"}, {"tcp", "127.0.0.2"}, {"tcp4", "127.0.0.1"}, {"tcp", "::ffff:127.0.0.1"},
	}
	if ipv6 {
		kinds = append(kinds, kind{"tcp6", ""}, kind{"tcp", "::"}, kind{"tcp6", "::"}, kind{"tcp", "::1"}, kind{"tcp6", "::1"})
	}
	refused := 0
	for i := range kinds {
		kinds[i].network = protocol + kinds[i].network[len("tcp"):]
	}
	for _, has := range kinds {
		port, let, err := hold(has.network, has.host, 0)
		if err != nil {
			t.Fatalf("%v: %v", has, err)
		}
		f := live.Read(port).Facts()
		for _, wants := range kinds {
			g := Goal{Network: wants.network, Port: port}
			if wants.host != "" {
				g.Addr = netip.MustParseAddr(wants.host).Unmap()
			}
			_, again, err := hold(wants.network, wants.host, port)
			switch {
			case err == nil:
				again()
			case !errors.Is(err, syscall.EADDRINUSE):
				t.Fatalf("%v: %v", wants, err)
			default:
				refused++
			}
			if got := Free(&f, g); (got == Yes) != (err == nil) || got == Unknown {
				t.Errorf("%v then %v: the kernel says %v, Free says %v", has, wants, err, got)
			}
		}
		let()
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
	f := live.Read(int(addr.Port())).Facts()
	if len(f.Net.Sockets.Value) == 0 {
		t.Errorf("the connection on %v is not seen", addr)
	}
	if got := Free(&f, Goal{Network: "tcp4", Addr: addr.Addr(), Port: int(addr.Port())}); got != Yes {
		t.Errorf("Free = %v beside %+v", got, f.Net.Sockets.Value)
	}
	again, err := net.Listen("tcp4", addr.String())
	if err != nil {
		t.Fatalf("the kernel: %v", err)
	}
	again.Close()
}

// For a multicast address Go binds the wildcard, with SO_REUSEADDR: whether the
// other socket has that too cannot be seen.
func TestFreeMulticast(t *testing.T) {
	has, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer has.Close()
	port := has.LocalAddr().(*net.UDPAddr).Port
	f := live.Read(port).Facts()
	for _, group := range []string{"224.0.1.1", "ff02::101"} {
		g := Goal{Network: "udp", Addr: netip.MustParseAddr(group), Port: port}
		if _, err := net.ListenPacket("udp", netip.AddrPortFrom(g.Addr, uint16(port)).String()); !errors.Is(err, syscall.EADDRINUSE) {
			t.Fatalf("%s: the kernel: %v", group, err)
		}
		if got := Free(&f, g); got != Unknown {
			t.Errorf("%s: Free = %v beside one without SO_REUSEADDR", group, got)
		}
		g.Raises, g.Refused.Errno = true, syscall.EADDRINUSE
		if causes := Explain(&f, g, nil).Causes; causes[0].ID != "address-in-use" {
			t.Errorf("%s: %+v where the kernel said that it is taken", group, causes)
		}
	}
}

// A connected UDP socket has its port for itself.
func TestFreeBesideConnectedUDP(t *testing.T) {
	c, err := net.Dial("udp4", "127.0.0.1:9")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	port := c.LocalAddr().(*net.UDPAddr).Port
	if got := free(live.Read(port).Facts(), Goal{Network: "udp", Port: port}); got != No {
		t.Errorf("Free = %v beside a connected socket on %v", got, c.LocalAddr())
	}
	if _, _, err := hold("udp", "", port); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("the kernel: %v", err)
	}
}
