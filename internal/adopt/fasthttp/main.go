// Fasthttp is a server of fasthttp that is given its listener.
package main

import (
	"log"

	"github.com/valyala/fasthttp"

	"github.com/lowport/lowport/caps/drop" // was: "net"
	"github.com/lowport/lowport/guard"     // new
)

func main() {
	ln := guard.MustBind(":80")        // was: ln, err := net.Listen("tcp", ":80")
	if err := drop.All(); err != nil { // was: if err != nil {
		log.Fatal(err)
	}
	log.Fatal(fasthttp.Serve(ln, func(c *fasthttp.RequestCtx) { c.WriteString("hello\n") }))
}
