package ask

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"

	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/privport"
)

// Of predicted requests a later one is refused if an earlier one has its port, as by the kernel
// (TestBindAllClash shows the same of sockets).
func TestForetold(t *testing.T) {
	ask := func(network, address string, at string, port int) Request {
		g := kernel.Goal{Network: network, Port: port}
		if at != "" {
			g.Addr = netip.MustParseAddr(at)
		}
		return Request{Network: network, Address: address, Goal: g, Target: privport.Target{Network: network, Port: port}}
	}
	for _, tt := range []struct {
		name          string
		first, second Request
		clash         bool
	}{
		{"the same", ask("tcp", ":443", "", 443), ask("tcp", ":443", "", 443), true},
		{"one of every", ask("tcp", ":443", "", 443), ask("tcp", "127.0.0.1:443", "127.0.0.1", 443), true},
		{"every of one", ask("tcp", "127.0.0.1:443", "127.0.0.1", 443), ask("tcp", ":443", "", 443), true},
		{"both families of one", ask("tcp4", "0.0.0.0:443", "", 443), ask("tcp", ":443", "", 443), true},
		{"two addresses", ask("tcp", "127.0.0.1:443", "127.0.0.1", 443), ask("tcp", "127.0.0.2:443", "127.0.0.2", 443), false},
		{"two families", ask("tcp4", ":443", "", 443), ask("tcp6", ":443", "", 443), false},
		{"two protocols", ask("tcp", ":443", "", 443), ask("udp", ":443", "", 443), false},
		{"one datagram socket twice", ask("udp", ":53", "", 53), ask("udp", ":53", "", 53), true},
		{"two ports", ask("tcp", ":443", "", 443), ask("tcp", ":80", "", 80), false},
		{"any free port", ask("tcp", ":0", "", 0), ask("tcp", ":0", "", 0), false},
	} {
		all := []Request{tt.first, tt.second}
		Foretold(all)
		if got := errors.Is(all[1].Err, syscall.EADDRINUSE); got != tt.clash || all[0].Err != nil || (all[1].Clash != "") != tt.clash {
			t.Errorf("%s: %v, %q, and of the first %v", tt.name, all[1].Err, all[1].Clash, all[0].Err)
		}
	}
	refused := []Request{ask("tcp", ":443", "", 443), ask("tcp", ":443", "", 443)}
	refused[0].Err = syscall.EACCES
	if Foretold(refused); refused[1].Err != nil {
		t.Errorf("what is refused has no port: %v", refused[1].Err)
	}
}
