package privport_test

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/lowport/lowport/privport"
)

func ExampleParse() {
	t, err := privport.Parse(context.Background(), "tcp", "127.0.0.1:https")
	fmt.Println(t, t.Port, err)
	// Output: 127.0.0.1:443 443 <nil>
}

// Ports below start need a capability here.
func ExampleStart() {
	start, err := privport.Start()
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		fmt.Println("a number of ports")
	case err == nil && 0 <= start && start <= 65536:
		fmt.Println("a number of ports")
	}
	// Output: a number of ports
}

// A port that anybody may bind is bound plainly.
func ExampleListen() {
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	address := probe.Addr().String()
	probe.Close()

	ln, via, err := privport.Listen(context.Background(), "tcp", address)
	if err != nil {
		panic(err)
	}
	defer ln.Close()
	fmt.Println(via, ln.Addr().String() == address)
	// Output: plain true
}
