package guard_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"net"
	"syscall"

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

// A DNS server begins so.
func ExampleMustBindPacket() {
	conn := guard.MustBindPacket(freeAddress()) // ":53"
	defer conn.Close()
	fmt.Println(conn.LocalAddr().Network())
	// Output: udp
}

// All ports of a server, or a report of every one that is refused, and exit.
func ExampleMustBindAll() {
	http, https := freeAddress(), freeAddress() // ":80", ":443"
	s := guard.MustBindAll(context.Background(), []string{http, https, "udp/" + https})
	defer s.Close()
	fmt.Println(s.Listeners[1].Addr().String() == https, s.PacketConns[0].LocalAddr().String() == https)
	// Output: true true
}

// Listen has the shape of net.ListenConfig.Listen, for what takes such a function.
func ExampleListen() {
	ln, err := guard.Listen(context.Background(), "tcp4", "127.0.0.1:0")
	if err != nil {
		log.Fatalf("%+v", err)
	}
	defer ln.Close()
	fmt.Println(ln.Addr().Network())
	// Output: tcp
}

func ExampleListenPacket() {
	conn, err := guard.ListenPacket(context.Background(), "udp4", "127.0.0.1:0")
	if err != nil {
		log.Fatalf("%+v", err)
	}
	defer conn.Close()
	fmt.Println(conn.LocalAddr().Network())
	// Output: udp
}

// In a pod the reason is in its status too: kubectl describe pod shows it.
func ExampleTerminationLog() {
	ln := guard.MustBind("127.0.0.1:0", guard.OnRefusal(guard.TerminationLog))
	defer ln.Close()
	fmt.Println(ln.Addr().Network())
	// Output: tcp
}

// A program with a logger of its own gets the refusal as a value.
func ExampleOnRefusal() {
	ln := guard.MustBind("127.0.0.1:0", guard.OnRefusal(func(refused *guard.Error) {
		slog.Error("no port", "refused", refused)
	}))
	defer ln.Close()
	fmt.Println(ln.Addr().Network())
	// Output: tcp
}
