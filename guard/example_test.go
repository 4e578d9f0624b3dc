package guard_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard"
)

// Where the port is refused, the report goes to standard error and the program
// exits with 77.
func ExampleMustBind() {
	ln := guard.MustBind(freeAddress()) // ":443"
	go http.Serve(ln, http.NotFoundHandler())

	answer, err := http.Get("http://" + ln.Addr().String())
	if err != nil {
		panic(err)
	}
	defer answer.Body.Close()
	fmt.Println(answer.Status)
	// Output: 404 Not Found
}

// The error is the one of net.Listen, with its cause.
func ExampleBind() {
	first, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer first.Close()

	_, err = guard.Bind(first.Addr().String())
	var refused *guard.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Causes[0].ID, refused.ExitCode())
	}
	// Output: address-in-use 69
}

// Error is one line for a log; String and %+v are the whole report.
func ExampleError() {
	_, err := guard.Bind("443")
	fmt.Println(err)
	fmt.Printf("%+v", err)
	// Output:
	// listen tcp 443: malformed address: 443 has no colon: did you mean ":443"? [address-invalid]
	// listen tcp 443: malformed address: 443 has no colon: did you mean ":443"? [address-invalid]
	//
	// cause (proven): an address is HOST:PORT, where the port is a number from 0 to
	//   65535 or a name from /etc/services
}

// An IPv6 address is none for tcp4.
func ExampleNetwork() {
	_, err := guard.Bind("[::1]:8080", guard.Network("tcp4"))
	fmt.Println(err)
	// Output: listen tcp4 [::1]:8080: ::1: no suitable address found [address-invalid]
}

// ReportTo says how the bind succeeded, too.
func ExampleReportTo() {
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	address := probe.Addr().String()
	probe.Close()

	var r guard.Report
	ln, err := guard.Bind(address, guard.ReportTo(&r))
	if err != nil {
		panic(err)
	}
	defer ln.Close()
	fmt.Println(r.OK, r.Via, len(r.Notes))
	// Output: true plain 0
}

// A program that changes routes says so before it serves.
func ExampleRequire() {
	err := guard.Require(caps.NET_ADMIN)
	switch {
	case err == nil, errors.Is(err, fs.ErrPermission), errors.Is(err, errors.ErrUnsupported):
		fmt.Println("held, not held, or no Linux")
	}
	// Output: held, not held, or no Linux
}
