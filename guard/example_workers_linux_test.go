package guard_test

import (
	"context"
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/guard"
)

// Several workers share one port: each binds it with SO_REUSEPORT, and the
// kernel spreads the connections.
func ExampleListenConfig_workers() {
	shared := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		ctl := c.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		})
		if ctl != nil {
			return ctl
		}
		return err
	}}
	probe, err := shared.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	address := probe.Addr().String()
	defer probe.Close()

	for range 2 {
		ln, err := guard.Bind(address, guard.ListenConfig(shared))
		if err != nil {
			panic(err)
		}
		defer ln.Close()
		fmt.Println(ln.Addr().String() == address)
	}
	// Output:
	// true
	// true
}
