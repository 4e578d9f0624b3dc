//go:build linux

package bench

import (
	"net"
	"testing"

	"github.com/lowport/lowport/guard"
)

// BenchmarkBind is a server's start: one listener on a port of its own, which
// takes no privilege, made and closed. Every way that is tried first counts.
func BenchmarkBind(b *testing.B) {
	free, err := net.Listen("tcp4", "127.0.0.2:0") // where nobody else takes it meanwhile
	if err != nil {
		b.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	lowport := func(b *testing.B) {
		ln, err := guard.Bind(address)
		must(b, ln, err).Close()
	}
	plain := func(b *testing.B) {
		ln, err := net.Listen("tcp", address)
		must(b, ln, err).Close()
	}
	b.Run("lowport", each(lowport))
	b.Run("net", each(plain))
	b.Run("lowport/net", inTurn(lowport, plain))
	b.Run("Listen/net", inTurn(func(b *testing.B) {
		ln, err := guard.Listen(b.Context(), "tcp", address)
		must(b, ln, err).Close()
	}, plain))
	b.Run("BindPacket/net", inTurn(func(b *testing.B) {
		c, err := guard.BindPacket(address)
		must(b, c, err).Close()
	}, func(b *testing.B) {
		c, err := net.ListenPacket("udp", address)
		must(b, c, err).Close()
	}))
}
