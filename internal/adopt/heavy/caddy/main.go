// Caddy is Caddy with a static answer. It takes listeners from networks that a program
// registers.
package main

import (
	"context" // new
	"log"
	"net"     // new
	"strconv" // new

	"github.com/caddyserver/caddy/v2"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/lowport/lowport/caps/drop" // new
	"github.com/lowport/lowport/guard"     // new
)

const address = "lowport/:80" // was: const address = ":80"

const config = `{
	"admin": {"disabled": true},
	"apps": {"http": {"servers": {"hello": {
		"listen": ["` + address + `"],
		"routes": [{"handle": [{"handler": "static_response", "body": "hello\n"}]}]
	}}}}
}`

func main() {
	caddy.RegisterNetwork("lowport", listen) // new
	if err := caddy.Load([]byte(config), true); err != nil {
		log.Fatal(err)
	}
	if err := drop.All(); err != nil { // new
		log.Fatal(err) // new
	} // new
	select {}
}

// listen is what Caddy calls for a network that is not its own. // new
func listen(ctx context.Context, _, host, port string, offset uint, lc net.ListenConfig) (any, error) { // new
	first, err := strconv.Atoi(port) // new
	if err != nil {                  // new
		return nil, err // new
	} // new
	address := net.JoinHostPort(host, strconv.Itoa(first+int(offset))) // new
	return guard.Listen(ctx, "tcp", address, guard.ListenConfig(lc))   // new
} // new
