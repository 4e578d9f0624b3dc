// Tableflip is a server that restarts without a gap by tableflip, whose hook gets the listener.
package main

import (
	"context" // new
	"fmt"
	"log"
	"net" // new
	"net/http"

	"github.com/cloudflare/tableflip"

	"github.com/lowport/lowport/caps/drop" // new
	"github.com/lowport/lowport/guard"     // new
)

func main() {
	upgrader, err := tableflip.New(tableflip.Options{})
	if err != nil {
		log.Fatal(err)
	}
	ln, err := upgrader.ListenWithCallback("tcp", ":80", listen) // was: ln, err := upgrader.Listen("tcp", ":80")
	if err != nil {
		log.Fatal(err)
	}
	if err := drop.All(); err != nil { // new
		log.Fatal(err) // new
	} // new
	hello := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") }
	go func() { log.Fatal(http.Serve(ln, http.HandlerFunc(hello))) }()
	if err := upgrader.Ready(); err != nil {
		log.Fatal(err)
	}
	<-upgrader.Exit()
}

func listen(network, address string) (net.Listener, error) { // new
	return guard.Listen(context.Background(), network, address) // new
} // new
