package privport

import (
	"context"
	"testing"
)

// What is passed for the port and does not fit says why, and the lines it advises make a
// socket that fits.
func TestDiffers(t *testing.T) {
	for _, tt := range []struct{ network, address, offer, why, lines string }{
		{"tcp4", ":80", "tcp6 [::]:80 both", "it takes IPv6 too", "ListenStream=0.0.0.0:80"},
		{"tcp6", ":80", "tcp6 [::]:80 both", "it takes IPv4 too", "ListenStream=[::]:80 and BindIPv6Only=ipv6-only"},
		{"tcp6", ":80", "tcp4 0.0.0.0:80", "it takes IPv4 alone", "ListenStream=[::]:80 and BindIPv6Only=ipv6-only"},
		{"tcp4", ":80", "tcp6 [::]:80", "it takes IPv6 alone", "ListenStream=0.0.0.0:80"},
		{"tcp", "127.0.0.1:80", "tcp6 [::]:80 both", "it takes every address", "ListenStream=127.0.0.1:80"},
		{"tcp", "[::1]:80", "tcp4 127.0.0.1:80", "it takes 127.0.0.1 alone", "ListenStream=[::1]:80"},
		{"tcp", ":80", "tcp4 127.0.0.1:80", "it takes 127.0.0.1 alone", "ListenStream=80 and BindIPv6Only=both"},
		{"udp4", ":53", "udp6 [::]:53 both", "it takes IPv6 too", "ListenDatagram=0.0.0.0:53"},

		{"tcp", ":80", "tcp6 [::]:80 both", "", ""},
		{"tcp", ":80", "tcp4 0.0.0.0:80", "", ""}, // in part, with a note
		{"tcp", ":80", "tcp6 [::]:81 both", "", ""},
		{"tcp", ":80", "udp6 [::]:80 both", "", ""},
		{"tcp", ":80", "unix /run/app", "", ""},
		{"unix", "/run/app", "tcp6 [::]:80 both", "", ""},
	} {
		w, err := wanted(context.Background(), tt.network, tt.address)
		if err != nil {
			t.Fatal(err)
		}
		got := parseOffer(t, tt.offer).differs(w)
		if got != tt.why || got != "" && w.unitLines() != tt.lines {
			t.Errorf("%s %s, %s: %q %q, want %q %q", tt.network, tt.address, tt.offer, got, w.unitLines(), tt.why, tt.lines)
		}
	}
}
