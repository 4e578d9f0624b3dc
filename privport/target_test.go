package privport_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/diff"
	"github.com/lowport/lowport/privport"
)

func TestParse(t *testing.T) {
	const bad = "\x00" // an error
	for _, tt := range []struct{ network, address, host, text string }{
		{"tcp", ":443", "", ":443"},
		{"tcp", ":https", "", ":443"},
		{"tcp", ":HTTPS", "", ":443"},
		{"tcp4", "127.0.0.1:80", "127.0.0.1", "127.0.0.1:80"},
		{"tcp6", "[::1]:80", "::1", "[::1]:80"},
		{"tcp6", "[fe80::1%eth0]:80", "fe80::1%eth0", "[fe80::1%eth0]:80"},
		{"tcp", "web.example:00443", "web.example", "web.example:443"},
		{"tcp", ":65535", "", ":65535"},
		{"tcp", ":1", "", ":1"},
		{"tcp", ":0", "", ":0"},
		{"tcp", ":", "", ":0"},
		{"tcp", "", "", ":0"},
		{"tcp", "127.0.0.1:", "127.0.0.1", "127.0.0.1:0"},
		{"udp", "[::1]:0", "::1", "[::1]:0"},

		{"tcp", ":65536", bad, "between 0 and 65535"},
		{"tcp", ":-1", bad, "between 0 and 65535"},
		{"tcp", ":99999999999999999999999", bad, "between 0 and 65535"},
		{"tcp", ":-99999999999999999999999", bad, "between 0 and 65535"},
		{"tcp", "443", bad, "missing port"},
		{"tcp", "::1:443", bad, "too many colons"},
		{"tcp", "[::1]", bad, "missing port"},
		{"tcp", "[::1:443", bad, "missing ']'"},
		{"tcp", ":no-such-service", bad, "unknown port"},
		{"tcp", ":443 ", bad, "unknown port"},
		{"tcp", ":0x1bb", bad, "unknown port"},
		{"udp4", ":domain", "", ":53"},
		{"udplite", ":443", bad, "unknown network"},
		{"", ":443", bad, "unknown network"},
		{"unix", "/run/x", bad, "unknown network"},
	} {
		got, err := privport.Parse(context.Background(), tt.network, tt.address)
		if tt.host == bad {
			var op *net.OpError
			if !errors.As(err, &op) || op.Op != "listen" || op.Net != tt.network || !strings.Contains(err.Error(), tt.text) || got != (privport.Target{}) {
				t.Errorf("%s %q: %+v, %v, want %q", tt.network, tt.address, got, err, tt.text)
			}
			continue
		}
		want := privport.Target{Network: tt.network, Host: tt.host, Port: got.Port}
		if diff := diff.Of(want, got); diff != "" || err != nil || got.String() != tt.text {
			t.Errorf("%s %q: %v, %v, want %q\n%s", tt.network, tt.address, got, err, tt.text, diff)
		}
	}
}

// What Parse takes is a port from 1 to 65535, the same that package net takes
// the address for, and parses to the same again.
func FuzzParse(f *testing.F) {
	for _, s := range []string{":443", ":https", "[::1%a]:+1", "a:b:c", "[]:1", ":-0", ":٣", "\x00:1", "[a]b:1"} {
		f.Add(s)
	}
	ctx := context.Background()
	f.Fuzz(func(t *testing.T, address string) {
		got, err := privport.Parse(ctx, "tcp", address)
		if err != nil {
			var op *net.OpError
			if !errors.As(err, &op) {
				t.Errorf("%q: %#v", address, err)
			}
			return
		}
		if again, err := privport.Parse(ctx, "tcp", got.String()); err != nil || again != got {
			t.Errorf("%q became %v became %v, %v", address, got, again, err)
		}
		if got.Port < 0 || got.Port > 65535 {
			t.Errorf("%q: port %d", address, got.Port)
		}
		if _, err := netip.ParseAddr(got.Host); err != nil && got.Host != "" {
			return // net would ask a resolver
		}
		if a, err := net.ResolveTCPAddr("tcp", address); err != nil || a.Port != got.Port {
			t.Errorf("%q: port %d; package net: %v, %v", address, got.Port, a, err)
		}
	})
}
