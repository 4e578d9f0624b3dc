package facts

import (
	"fmt"
	"testing"
)

func TestParseSocketUnit(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "[]"},
		{"[Socket]\nListenStream=443\n", "[{app.socket tcp6 [::]:443 true}]"},
		{"[Unit]\nListenStream=443\n[Socket]\n# x\nListenDatagram = 127.0.0.1:53 \nListenStream=/run/x\n", "[{app.socket udp4 127.0.0.1:53 false}]"},
		{"[Socket]\nListenStream=443\nListenStream=[::1]:80\nBindIPv6Only=ipv6-only\n", "[{app.socket tcp6 [::]:443 false} {app.socket tcp6 [::1]:80 false}]"},
		{"[Socket]\nListenStream=443\nListenStream=\nListenStream=80\n", "[{app.socket tcp6 [::]:80 true}]"},
		{"[Socket]\nListenStream=0\nListenStream=127.0.0.1:0\n", "[]"},
		{"[Socket]\nListenStream=443\nAccept=yes\n", "error"},
		{"[Socket]\nListenStream=443\nService=other.service\n", "error"},
		{"[Socket]\nListenStream=%i\n", "error"},
		{"[Socket]\nListenStream=\\\n443\n", "error"},
	} {
		all, err := ParseSocketUnit("app.socket", tt.text)
		got := fmt.Sprint(all)
		if err != nil {
			got = "error"
		}
		if got != tt.want {
			t.Errorf("%q: %s, want %s", tt.text, got, tt.want)
		}
	}
}
