package privport_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"net"
	"net/netip"
	"strings"

	"github.com/lowport/lowport/caps"
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

// A socket that is not what was asked for comes with the reason.
func ExampleHow_Notes() {
	conn, how, err := privport.Config{}.ListenPacket(context.Background(), "udp", "224.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	for _, note := range how.Notes() {
		_, why, _ := strings.Cut(note, ": ")
		fmt.Println(why)
	}
	// Output: for a multicast address Go binds every address
}

// A process that was started with no sockets has none left over.
func ExampleLeftover() {
	fmt.Println(len(privport.Leftover()))
	// Output: 0
}

// A program that wants a socket by its name, whatever the operator bound it to, asks for
// its address.
func ExampleOffers() {
	for _, o := range privport.Offers() {
		if o.Name != "admin" {
			continue
		}
		network, address := o.Asks()
		ln, via, err := privport.Listen(context.Background(), network, address)
		if err != nil {
			log.Fatal(err)
		}
		defer ln.Close()
		fmt.Println(via) // inherited
	}
	fmt.Println(len(privport.Offers()), "sockets")
	// Output: 0 sockets
}

func ExampleOffer_Asks() {
	o := privport.Offer{Name: "app.socket", Network: "tcp6", Addr: netip.MustParseAddrPort("[::]:443"), Both: true}
	fmt.Println(o.Asks())
	// Output: tcp [::]:443
}

// A program that asks for IPv4 alone, where the unit says ListenStream=80.
func ExampleMismatch_String() {
	m := privport.Mismatch{
		Offer: privport.Offer{Name: "app.socket", Network: "tcp6", Addr: netip.MustParseAddrPort("[::]:80"), Both: true},
		Why:   "it takes IPv6 too",
		Lines: "ListenStream=0.0.0.0:80",
	}
	fmt.Println(m)
	// Output: inherited tcp [::]:80 (named "app.socket") is not what was asked for: it takes IPv6 too; with ListenStream=0.0.0.0:80 the .socket unit passes the right one
}

// A socket that a unit passes on loopback is not one for every address.
func ExampleOffer_Mismatch() {
	o := privport.Offer{Name: "app.socket", Network: "tcp4", Addr: netip.MustParseAddrPort("127.0.0.1:443")}
	m, differs := o.Mismatch(context.Background(), "tcp4", ":443")
	fmt.Println(differs, m.Lines)
	// Output: true ListenStream=0.0.0.0:443
}

// A process that was started with no sockets has none that differ.
func ExampleMismatches() {
	fmt.Println(len(privport.Mismatches(context.Background(), "tcp4", ":80")))
	// Output: 0
}

func ExampleOffer_String() {
	fmt.Println(privport.Offer{Name: "app.socket", Network: "unix", Path: "/run/app"})
	// Output: unix /run/app (named "app.socket")
}

// In a user namespace on the network of its parent, root's capabilities do not
// count for ports.
func ExampleOwnNetwork() {
	own, err := privport.OwnNetwork()
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		log.Print("no Linux")
	case err != nil:
		log.Print("could not tell: ", err)
	case !own:
		log.Print("capabilities do not count for ports here")
	}
	fmt.Println(own && err != nil)
	// Output: false
}

// A ping socket takes cap_net_raw, for as long as it is made.
func ExampleRaise() {
	var conn net.PacketConn
	err := privport.Raise(caps.SetOf(caps.NET_RAW), func() (err error) {
		conn, err = net.ListenPacket("ip4:icmp", "127.0.0.1")
		return err
	})
	var failed *privport.RaiseError
	switch {
	case errors.As(err, &failed):
		log.Print(failed) // raise cap_net_raw: not permitted to this thread: permission denied
	case err != nil:
		log.Print(err)
	default:
		defer conn.Close()
	}
	fmt.Println(conn != nil || err != nil)
	// Output: true
}

func ExampleRaiseError_Error() {
	err := &privport.RaiseError{Set: caps.SetOf(caps.NET_RAW), Err: fs.ErrPermission}
	fmt.Println(err)
	// Output: raise cap_net_raw: permission denied
}

func ExampleRaiseError_Unwrap() {
	err := privport.Raise(caps.SetOf(63), func() error { return nil }) // no kernel knows 63
	fmt.Println(errors.Is(err, fs.ErrPermission) || errors.Is(err, errors.ErrUnsupported))
	// Output: true
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
