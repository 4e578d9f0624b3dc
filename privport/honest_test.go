package privport

import (
	"net"
	"strings"
	"testing"
)

func TestCompare(t *testing.T) {
	for _, tt := range []struct{ network, address, got, want string }{
		{"tcp", ":443", "[::]:443", ""},
		{"tcp", ":https", "[::]:443", ""},
		{"tcp4", ":443", "0.0.0.0:443", ""},
		{"tcp", "0.0.0.0:443", "[::]:443", ""},
		{"tcp", "127.0.0.1:443", "127.0.0.1:443", ""},
		{"tcp", "[::ffff:127.0.0.1]:443", "127.0.0.1:443", ""},
		{"tcp", "localhost:443", "127.0.0.1:443", ""},
		{"tcp", "127.0.0.1:0", "127.0.0.1:40000", ""},
		{"tcp6", "[fe80::1%lo]:443", "[fe80::1]:443", ""},

		{"tcp", ":443", "0.0.0.0:443", "only the IPv4 ones"},
		{"udp", ":53", "0.0.0.0:53", "only the IPv4 ones"},
		{"tcp", "127.0.0.1:443", "127.0.0.2:443", "rewritten"},
		{"tcp", "127.0.0.1:443", "127.0.0.1:8443", "rewritten"},
		{"udp", ":53", "[::]:5353", "rewritten"},
	} {
		var got net.Addr
		tcp, err := net.ResolveTCPAddr("tcp", tt.got)
		if err != nil {
			t.Fatal(err)
		}
		if got = tcp; tt.network[:3] == "udp" {
			got = &net.UDPAddr{IP: tcp.IP, Port: tcp.Port}
		}
		notes := strings.Join(compare(tt.network, tt.address, got), " ")
		if !strings.Contains(notes, tt.want) || (notes == "") != (tt.want == "") {
			t.Errorf("%s %s, got %v: %q, want %q", tt.network, tt.address, got, notes, tt.want)
		}
	}
}
