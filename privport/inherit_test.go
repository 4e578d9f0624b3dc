package privport

import (
	"context"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/diff"
)

func TestReadOffer(t *testing.T) {
	const pid, ppid = 100, 99
	for _, tt := range []struct {
		env     string // LISTEN_FDS LISTEN_PID LISTEN_FDNAMES LOWPORT_LISTEN_PPID
		names   []string
		trouble string
	}{
		{"1 100", []string{""}, ""},
		{"2 100 web:dns", []string{"web", "dns"}, ""},
		{"2 100 web", []string{"web", ""}, ""},
		{"1 100 web:dns", []string{"web"}, ""},
		{"0 100", []string{}, ""},
		{"1 - web 99", []string{"web"}, ""},

		{"1 101", nil, `process "101", and this is 100`},
		{"1 0100", nil, `process "0100"`},
		{"1 101 - 99", nil, `process "101"`}, // LISTEN_PID says it, and wins
		{"1", nil, "LISTEN_PID is not"},
		{"1 - - 98", nil, "the parent of this one is 99"},
		{"-1 100", nil, "not a number"},
		{"1025 100", nil, "not a number"},
		{"9223372036854775807 100", nil, "not a number"},
		{"x 100", nil, "not a number"},
	} {
		env := map[string]string{}
		for i, v := range strings.Fields(tt.env) {
			if v != "-" {
				env[[]string{envFDs, envPID, envNames, envPPID}[i]] = v
			}
		}
		got := readOffer(func(name string) string { return env[name] }, pid, ppid)
		if diff := diff.Of(tt.names, got.names); diff != "" || !strings.Contains(got.trouble, tt.trouble) || (got.trouble == "") != (tt.trouble == "") {
			t.Errorf("%q: %+v, want %q\n%s", tt.env, got, tt.trouble, diff)
		}
	}
}

// An offer is "NETWORK ADDRESS", with "both" for one of both families and
// "=NAME" for a name.
func parseOffer(t *testing.T, text string) Offer {
	t.Helper()
	o := Offer{}
	for i, w := range strings.Fields(text) {
		switch {
		case i == 0:
			o.Network = w
		case i == 1 && o.isUnix():
			o.Path = w
		case i == 1:
			o.Addr = netip.MustParseAddrPort(w)
		case w == "both":
			o.Both = true
		case w == "taken":
			o.Taken = true
		default:
			o.Name = strings.TrimPrefix(w, "=")
		}
	}
	return o
}

func TestChoose(t *testing.T) {
	for _, tt := range []struct {
		network, address, sockets string
		want                      int // -1 for none
		note                      string
	}{
		// What systemd makes of ListenStream=443, and each family alone.
		{"tcp", ":443", "tcp6 [::]:443 both", 0, ""},
		{"tcp", "[::]:443", "tcp6 [::]:443 both", 0, ""},
		{"tcp", "0.0.0.0:443", "tcp6 [::]:443 both", 0, ""},
		{"tcp", "0.0.0.0:443", "tcp4 0.0.0.0:443", 0, ""},
		{"tcp", ":https", "tcp6 [::]:443 both", 0, ""},
		{"tcp", ":443", "tcp4 0.0.0.0:443", 0, "only the IPv4 ones"},
		{"tcp", ":443", "tcp6 [::]:443", 0, "only the IPv6 ones"},
		{"tcp", ":443", "tcp4 0.0.0.0:443, tcp6 [::]:443 both", 1, ""},
		{"tcp4", ":443", "tcp4 0.0.0.0:443", 0, ""},
		{"tcp6", ":443", "tcp6 [::]:443", 0, ""},
		{"tcp4", ":443", "tcp6 [::]:443", -1, ""},
		{"tcp6", ":443", "tcp4 0.0.0.0:443", -1, ""},
		{"tcp", "127.0.0.1:443", "tcp4 127.0.0.1:443", 0, ""},
		{"tcp6", "[::1]:443", "tcp6 [::1]:443", 0, ""},
		{"tcp", "[fe80::1%eth0]:443", "tcp6 [fe80::1%eth0]:443", 0, ""},
		{"tcp", "localhost:443", "tcp4 127.0.0.1:443", 0, ""},

		// One that takes more than was asked is not taken, nor one of less.
		{"tcp4", ":443", "tcp6 [::]:443 both", -1, ""},
		{"tcp6", ":443", "tcp6 [::]:443 both", -1, ""},
		{"tcp", "127.0.0.1:443", "tcp6 [::]:443 both", -1, ""},
		{"tcp", "127.0.0.1:443", "tcp4 0.0.0.0:443", -1, ""},
		{"tcp", "localhost:443", "tcp6 [::]:443 both", -1, ""},
		{"tcp", ":443", "tcp4 127.0.0.1:443", -1, ""},
		{"tcp", "[fe80::1%eth0]:443", "tcp6 [fe80::1%eth1]:443", -1, ""},
		{"tcp4", "[::1]:443", "tcp6 [::1]:443", -1, ""},

		// The type and the port.
		{"udp", ":53", "tcp6 [::]:53 both, udp6 [::]:53 both", 1, ""},
		{"tcp", ":53", "udp6 [::]:53 both", -1, ""},
		{"tcp", ":443", "tcp6 [::]:444 both", -1, ""},
		{"tcp", ":443", "", -1, ""},

		{"tcp", ":0", "tcp6 [::]:443 both, tcp6 [::]:0 both", -1, ""},
		{"tcp", "", "tcp6 [::]:443 both", -1, ""},

		// A unix socket is what its path and type say.
		{"unix", "/run/app", "unixgram /run/app, unixpacket /run/app, unix /run/app", 2, ""},
		{"unixpacket", "@app", "unixpacket @app", 0, ""},
		{"unix", "/run/app", "unix /run/other, tcp6 [::]:443 both", -1, ""},
		{"unix", "", "unix", -1, ""},
		{"tcp", ":443", "unix /run/app", -1, ""},

		// A name chooses among sockets that fit, and never another address.
		{"tcp", ":443", "tcp4 127.0.0.1:8443 =443", -1, ""},
		{"tcp", ":https", "tcp4 127.0.0.1:8443 =https", -1, ""},
		{"tcp", ":https", "tcp6 [::]:443 both, tcp6 [::]:443 both =https", 1, ""},
		{"tcp", ":443", "tcp4 0.0.0.0:443 =443, tcp6 [::]:443 both", 1, ""},
		{"tcp", ":443", "tcp6 [::]:443 both =443 taken, tcp6 [::]:443 both", 1, ""},

		// Several of SO_REUSEPORT: one after the other, and then the first again.
		{"tcp", ":443", "tcp6 [::]:443 both taken, tcp6 [::]:443 both", 1, ""},
		{"tcp", ":443", "tcp6 [::]:443 both taken, tcp6 [::]:443 both taken", 0, ""},
		{"tcp", ":443", "tcp6 [::]:443 both taken, tcp4 0.0.0.0:443", 0, ""},
	} {
		var all []Offer
		for text := range strings.SplitSeq(tt.sockets, ",") {
			if strings.TrimSpace(text) != "" {
				all = append(all, parseOffer(t, text))
			}
		}
		index, note := Choose(context.Background(), tt.network, tt.address, all)
		if index != tt.want || !strings.Contains(note, tt.note) || (note == "") != (tt.note == "") {
			t.Errorf("%s %s of %q: %d %q, want %d %q", tt.network, tt.address, tt.sockets, index, note, tt.want, tt.note)
		}
	}
}

// For a program with privileges that its starter lacks, only what a bind would have
// made fits.
func TestChooseStrictly(t *testing.T) {
	for _, tt := range []struct {
		address, socket string
		want            int
	}{
		{":443", "tcp6 [::]:443 both", 0},
		{"127.0.0.1:443", "tcp4 127.0.0.1:443", 0},
		{":443", "tcp4 0.0.0.0:443", -1},
		{":443", "tcp6 [::]:443", -1},
		{"10.0.0.1:443", "tcp4 127.0.0.1:443 =443", -1},
	} {
		w, err := wanted(context.Background(), "tcp", tt.address)
		if err != nil {
			t.Fatal(err)
		}
		w.strict = true
		if got, _ := choose(1, func(int) Offer { return parseOffer(t, tt.socket) }, w); got != tt.want {
			t.Errorf("%s of %q: %d", tt.address, tt.socket, got)
		}
	}
}

// What an offer asks for is itself.
func TestAsks(t *testing.T) {
	for _, text := range []string{
		"tcp6 [::]:443 both", "tcp6 [::]:443", "tcp4 0.0.0.0:443", "tcp4 127.0.0.1:1", "tcp6 [fe80::1%eth0]:443",
		"udp6 [::]:53 both", "udp4 127.0.0.53:53", "unix /run/app", "unixpacket @app", "unixgram /run/log",
	} {
		o := parseOffer(t, text)
		network, address := o.Asks()
		if i, note := Choose(context.Background(), network, address, []Offer{o}); i != 0 || note != "" {
			t.Errorf("%s: %s %s: %d, %q", text, network, address, i, note)
		}
	}
}

// Whatever the environment says, it is read or called trouble.
func FuzzReadOffer(f *testing.F) {
	f.Add("1", "100", "web", "")
	f.Fuzz(func(t *testing.T, fds, pid, names, ppid string) {
		env := map[string]string{envFDs: fds, envPID: pid, envNames: names, envPPID: ppid}
		o := readOffer(func(name string) string { return env[name] }, 100, 99)
		if o.trouble == "" && (len(o.names) > mostFDs || pid != "100" && (pid != "" || ppid != "99")) || o.trouble != "" && o.names != nil {
			t.Errorf("%q: %+v", env, o)
		}
		if n, err := strconv.Atoi(fds); o.trouble == "" && (err != nil || n != len(o.names)) {
			t.Errorf("%q: %d names", env, len(o.names))
		}
	})
}
