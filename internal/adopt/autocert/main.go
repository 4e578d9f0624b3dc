// Autocert serves HTTPS with certificates of an ACME authority, and answers its challenges on
// port 80. The first argument is the folder of the certificates.
package main

import (
	"context" // was: "net"
	"fmt"
	"log"
	"net/http"
	"os"

	"golang.org/x/crypto/acme/autocert"

	"github.com/lowport/lowport/caps/drop" // new
	"github.com/lowport/lowport/guard"     // new
)

func main() {
	m := &autocert.Manager{
		Prompt:     autocert.AcceptTOS,
		HostPolicy: autocert.HostWhitelist("server.test"),
		Cache:      autocert.DirCache(os.Args[1]),
	}
	s, err := guard.BindAll(context.Background(), []string{":80", ":443"}) // was: challenges, err := net.Listen("tcp", ":80")
	if err != nil {
		log.Fatal(err)
	}
	// was: secure, err := net.Listen("tcp", ":443")
	if err := drop.All(); err != nil { // was: if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(s.Listeners[0], m.HTTPHandler(nil))) }() // was: go func() { log.Fatal(http.Serve(challenges, m.HTTPHandler(nil))) }()
	server := &http.Server{TLSConfig: m.TLSConfig(), Handler: http.HandlerFunc(hello)}
	log.Fatal(server.ServeTLS(s.Listeners[1], "", "")) // was: log.Fatal(server.ServeTLS(secure, "", ""))
}

func hello(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") }
