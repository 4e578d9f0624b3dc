package privport

import (
	"context"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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
		if diff := cmp.Diff(tt.names, got.names); diff != "" || !strings.Contains(got.trouble, tt.trouble) || (got.trouble == "") != (tt.trouble == "") {
			t.Errorf("%q: %+v, want %q\n%s", tt.env, got, tt.trouble, diff)
		}
	}
}

// A socket is "NETWORK ADDRESS", with "both" for one of both families and
// "=NAME" for a name.
func parseSocket(t *testing.T, text string) *socket {
	t.Helper()
	s := &socket{}
	for i, w := range strings.Fields(text) {
		switch {
		case i == 0:
			s.network = w
		case i == 1:
			s.addr = netip.MustParseAddrPort(w)
		case w == "both":
			s.both = true
		case w == "claimed":
			s.claimed = true
		default:
			s.name = strings.TrimPrefix(w, "=")
		}
	}
	return s
}

func TestBest(t *testing.T) {
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

		// A name, and an address that goes before it.
		{"tcp", ":443", "tcp4 127.0.0.1:8443 =443", 0, `the name "443"`},
		{"tcp", ":https", "tcp4 127.0.0.1:8443 =https", 0, `the name "https"`},
		{"tcp", ":443", "tcp4 127.0.0.1:8443 =https", -1, ""},
		{"tcp", ":443", "udp4 127.0.0.1:8443 =443", -1, ""},
		{"tcp", ":443", "tcp4 127.0.0.1:8443 =443, tcp6 [::]:443 both", 1, ""},

		// Several of SO_REUSEPORT: one after the other, and then the first again.
		{"tcp", ":443", "tcp6 [::]:443 both claimed, tcp6 [::]:443 both", 1, ""},
		{"tcp", ":443", "tcp6 [::]:443 both claimed, tcp6 [::]:443 both claimed", 0, ""},
		{"tcp", ":443", "tcp6 [::]:443 both claimed, tcp4 0.0.0.0:443", 0, ""},
	} {
		var all []*socket
		for _, text := range strings.Split(tt.sockets, ",") {
			if strings.TrimSpace(text) != "" {
				all = append(all, parseSocket(t, text))
			}
		}
		w, err := wanted(context.Background(), tt.network, tt.address)
		if err != nil {
			t.Fatal(err)
		}
		got, note := best(all, w)
		index := -1
		for i := range all {
			if all[i] == got {
				index = i
			}
		}
		if index != tt.want || !strings.Contains(note, tt.note) || (note == "") != (tt.note == "") {
			t.Errorf("%s %s of %q: %d %q, want %d %q", tt.network, tt.address, tt.sockets, index, note, tt.want, tt.note)
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
