package drop_test

import (
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/caps/drop"
)

// A server that needs its privilege for the bind alone.
func ExampleAll() {
	ln, err := net.Listen("tcp", ":443")
	if err != nil {
		log.Fatal(err)
	}
	if err := drop.All(); err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ServeTLS(ln, nil, "cert.pem", "key.pem"))
}

// A server that was started as root, as containers are by default.
func ExampleToUser() {
	ln, err := net.Listen("tcp", ":80")
	if err != nil {
		log.Fatal(err)
	}
	if err := drop.ToUser("nobody"); err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.Serve(ln, nil))
}

// A server that listens on more low ports later.
func ExampleExcept() {
	if err := drop.Except(caps.NET_BIND_SERVICE); err != nil {
		log.Fatal(err)
	}
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
}

// The threads that stand in the way.
func ExampleError() {
	err := drop.Except(caps.NET_RAW)
	if e, ok := errors.AsType[*drop.Error](err); ok {
		for _, t := range e.Threads {
			fmt.Println(t.TID, t.How)
		}
	}
}
