package guard_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard"
)

// freeAddress is a TCP address that was free a moment ago.
func freeAddress() string {
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer probe.Close()
	return probe.Addr().String()
}

// HTTP and HTTP/3 need TCP and UDP: both are bound, or none.
func ExampleSockets_Close() {
	address := freeAddress()
	s, err := guard.BindAll(context.Background(), []string{address, "udp/" + address})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	fmt.Println(len(s.Listeners), len(s.PacketConns))
	// Output: 1 1
}

// Control sets an option of each socket before it is bound.
func ExampleListenConfig() {
	seen := ""
	lc := net.ListenConfig{Control: func(network, address string, c syscall.RawConn) error {
		seen = network
		return nil
	}}
	ln, err := guard.Bind(freeAddress(), guard.ListenConfig(lc))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ln.Close()
	fmt.Println(seen)
	// Output: tcp4
}

// A port that anybody may bind is bound plainly, and no helper is started.
func ExampleAuthbind() {
	var r guard.Report
	ln, err := guard.Bind(freeAddress(), guard.Authbind(), guard.ReportTo(&r))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ln.Close()
	fmt.Println(r.Via)
	// Output: plain
}

// A DNS server, and nothing else in main.
func ExampleMustBindPacket() {
	main := func() {
		conn := guard.MustBindPacket(":53")
		var b [512]byte
		conn.ReadFrom(b[:])
	}
	_ = main
}

// All ports of a server, or a report of every one that is refused, and exit.
func ExampleMustBindAll() {
	main := func() {
		s := guard.MustBindAll(context.Background(), []string{":80", ":443", "udp/:443"})
		http, https, http3 := s.Listeners[0], s.Listeners[1], s.PacketConns[0]
		fmt.Println(http.Addr(), https.Addr(), http3.LocalAddr())
	}
	_ = main
}

// A program that changes routes ends here where it may not.
func ExampleMustRequire() {
	main := func() {
		guard.MustRequire(caps.NET_ADMIN)
	}
	_ = main
}

// The error is the one of the kernel, whatever explains it.
func ExampleError_Unwrap() {
	_, err := guard.Bind("443")
	var addr *net.AddrError
	fmt.Println(errors.As(err, &addr))
	// Output: true
}
