package privport_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/lowport/lowport/privport"
)

// free is an address of the loopback interface that was free a moment ago.
func free() string {
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer probe.Close()
	return probe.Addr().String()
}

// Any option of net.ListenConfig holds for the sockets that are made here.
func ExampleConfig_Listen() {
	c := privport.Config{ListenConfig: net.ListenConfig{KeepAlive: -1}}
	ln, how, err := c.Listen(context.Background(), "tcp", free())
	if err != nil {
		panic(err)
	}
	defer ln.Close()
	fmt.Println(how.Via, len(how.Notes()))
	// Output: plain 0
}

func ExampleConfig_ListenPacket() {
	var c privport.Config
	conn, how, err := c.ListenPacket(context.Background(), "udp", free())
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	fmt.Println(how.Via, conn.LocalAddr().Network())
	// Output: plain udp
}

func ExampleListenPacket() {
	conn, via, err := privport.ListenPacket(context.Background(), "udp", free())
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	fmt.Println(via)
	// Output: plain
}

// A socket that comes as it was asked for is worth no note.
func ExampleHow_Notes() {
	ln, how, err := privport.Config{}.Listen(context.Background(), "tcp", free())
	if err != nil {
		panic(err)
	}
	defer ln.Close()
	for _, note := range how.Notes() {
		fmt.Println(note)
	}
	// Output:
}

// A process that was started with no sockets has none left over.
func ExampleLeftover() {
	fmt.Println(len(privport.Leftover()))
	// Output: 0
}

// In a user namespace on the network of its parent, root's capabilities do not
// count for ports.
func ExampleOwnNetwork() {
	own, err := privport.OwnNetwork()
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		fmt.Println("no Linux")
	case err != nil:
		fmt.Println("could not tell:", err)
	case !own:
		fmt.Println("capabilities do not count for ports here")
	}
}

func ExampleTarget_String() {
	t := privport.Target{Network: "tcp", Host: "::1", Port: 443}
	fmt.Println(t)
	// Output: [::1]:443
}

// Of the sockets that a .socket unit would pass, the one that Listen would take.
func ExampleChoose() {
	offers := []privport.Offer{
		{Name: "app.socket", Network: "tcp4", Addr: netip.MustParseAddrPort("127.0.0.1:80")},
		{Name: "app.socket", Network: "tcp6", Addr: netip.MustParseAddrPort("[::]:443"), Both: true},
	}
	for _, address := range []string{":443", ":80"} {
		index, _ := privport.Choose(context.Background(), "tcp", address, offers)
		fmt.Println(address, index)
	}
	// Output:
	// :443 1
	// :80 -1
}
