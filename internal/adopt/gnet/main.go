// Gnet is an echo server of gnet, an engine with sockets of its own, which binds by itself and
// calls OnBoot then.
package main

import (
	"log"

	"github.com/panjf2000/gnet/v2"

	"github.com/lowport/lowport/caps/drop" // new
	"github.com/lowport/lowport/guard"     // new
)

type echo struct{ *gnet.BuiltinEventEngine }

func (echo) OnTraffic(c gnet.Conn) gnet.Action {
	if _, err := c.WriteTo(c); err != nil {
		return gnet.Close
	}
	return gnet.None
}

func (echo) OnBoot(gnet.Engine) gnet.Action { // new
	if err := drop.All(); err != nil { // new
		log.Fatal(err) // new
	} // new
	return gnet.None // new
} // new

func main() {
	err := gnet.Run(echo{new(gnet.BuiltinEventEngine)}, "tcp://:7")
	log.Fatal(guard.ExplainBind("tcp", ":7", err)) // was: log.Fatal(err)
}
