package drop_test

import (
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"syscall"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/caps/drop"
)

// A server that needs its privilege for the bind alone.
func ExampleAll() {
	ln, err := net.Listen("tcp", "localhost:0") // ":443", where it is allowed
	if err != nil {
		log.Fatal(err)
	}
	defer ln.Close()
	if err := drop.All(); err != nil {
		log.Fatal(err)
	}
	// From here on it serves: http.ServeTLS(ln, nil, "cert.pem", "key.pem").

	s, err := caps.Self()
	fmt.Println(s.Permitted == 0, s.NoNewPrivs, err)
	// Output: true true <nil>
}

// A server that was started as root, as containers are by default.
func ExampleToUser() {
	ln, err := net.Listen("tcp", "localhost:0") // ":80"
	if err != nil {
		log.Fatal(err)
	}
	defer ln.Close()
	if err := drop.ToUser("nobody"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(os.Getuid() != 0, syscall.Setuid(0))
	// Output: true operation not permitted
}

// A server that listens on more low ports later.
func ExampleExcept() {
	if err := drop.Except(caps.NET_BIND_SERVICE); err != nil {
		log.Fatal(err)
	}
	s, err := drop.Held()
	fmt.Println(s.Permitted, s.Effective == 0, err)
	// Output: cap_net_bind_service true <nil>
}

// A program that stays root narrows what any child of its can ever hold.
func ExampleClamp() {
	if err := drop.Clamp(caps.NET_BIND_SERVICE); err != nil {
		log.Fatal(err)
	}
	s, err := drop.Held()
	fmt.Println(s.Bounding, err)
	// Output: cap_net_bind_service <nil>
}

// What keeps capabilities from coming back.
func ExampleHeld() {
	if err := drop.All(); err != nil {
		log.Fatal(err)
	}
	s, err := drop.Held()
	if err != nil {
		log.Fatal(err)
	}
	if s.Bounding != 0 {
		log.Printf("no_new_privs holds alone: the bounding set has %s", s.Bounding)
	}
	fmt.Println(s.Bounding == 0 || s.NoNewPrivs)
	// Output: true
}

// The threads that stand in the way: after All, nothing is left to keep.
func ExampleError() {
	if err := drop.All(); err != nil {
		log.Fatal(err)
	}
	err := drop.Except(caps.NET_RAW)
	if e := (*drop.Error)(nil); errors.As(err, &e) {
		fmt.Println(e.Op, e.Threads[0].How, e.Err)
	}
	// Output: drop.Except permitted lacks cap_net_raw operation not permitted
}
