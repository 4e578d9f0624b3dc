// Coredns is CoreDNS with one plugin. It binds by itself, and its
// error is one of text alone.
package main

import (
	"log"

	"github.com/coredns/caddy"
	_ "github.com/coredns/coredns/core/dnsserver"
	_ "github.com/coredns/coredns/plugin/whoami"

	"github.com/lowport/lowport/caps/drop" // new
	"github.com/lowport/lowport/guard"     // new
)

func main() {
	server, err := caddy.Start(caddy.CaddyfileInput{
		Contents:       []byte(".:53 {\n\twhoami\n}\n"),
		ServerTypeName: "dns",
	})
	if err != nil {
		log.Fatal(guard.ExplainBind("tcp", ":53", err)) // was: log.Fatal(err)
	}
	if err := drop.All(); err != nil { // new
		log.Fatal(err) // new
	} // new
	server.Wait()
}
