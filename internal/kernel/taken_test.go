package kernel

import (
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
)

// Whether a socket that does not listen has SO_REUSEADDR cannot be seen: it is
// never named before one that excludes ours for certain, and never proven where
// another one may be it.
func TestTaken(t *testing.T) {
	at := netip.MustParseAddrPort
	waits := facts.Socket{Network: "tcp", Addr: at("127.0.0.1:443")}
	bound := facts.Socket{Network: "tcp", Addr: at("0.0.0.0:443"), Bound: true, UID: 1001, Inode: 2}
	connected := facts.Socket{Network: "tcp", Addr: at("127.0.0.1:443"), UID: 1002, Inode: 3}
	listens := facts.Socket{Network: "tcp6", Addr: at("[::]:443"), Listen: true, UID: 1003, Inode: 4}
	perhaps := listens
	perhaps.V6Unknown = true
	datagrams := facts.Socket{Network: "udp", Addr: at("0.0.0.0:443"), UID: 1004, Inode: 5}

	for name, tt := range map[string]struct {
		has     []facts.Socket
		network string
		addr    string
		errno   syscall.Errno
		want    string // "" for no word of it
		owner   string
	}{
		"one that waits":                   {[]facts.Socket{waits}, "tcp", "127.0.0.1", syscall.EADDRINUSE, report.Proven, "a closed connection"},
		"several that wait":                {[]facts.Socket{waits, waits}, "tcp", "127.0.0.1", syscall.EADDRINUSE, report.Proven, "a closed connection"},
		"one that waits beside a listener": {[]facts.Socket{waits, listens}, "tcp", "127.0.0.1", syscall.EADDRINUSE, report.Proven, "uid 1003"},
		"one of two":                       {[]facts.Socket{waits, bound}, "tcp", "127.0.0.1", syscall.EADDRINUSE, report.Likely, ""},
		"bound, hidden":                    {[]facts.Socket{bound}, "tcp", "127.0.0.1", syscall.EACCES, report.Possible, "may be held by uid 1001"},
		"connected, hidden":                {[]facts.Socket{connected}, "tcp", "127.0.0.1", syscall.EACCES, "", ""},
		"waiting, hidden":                  {[]facts.Socket{connected, waits}, "tcp", "127.0.0.1", syscall.EACCES, report.Possible, "may be held by a closed connection"},
		"bound and listening, hidden":      {[]facts.Socket{bound, listens}, "tcp", "127.0.0.1", syscall.EACCES, report.Proven, "uid 1003"},
		"of IPv6 alone perhaps":            {[]facts.Socket{perhaps}, "tcp4", "127.0.0.1", syscall.EACCES, report.Possible, "may be held by uid 1003"},
		"of IPv6 alone perhaps, for IPv6":  {[]facts.Socket{perhaps}, "tcp", "::1", syscall.EACCES, report.Proven, "uid 1003"},
		"a group's":                        {[]facts.Socket{datagrams}, "udp", "224.0.1.1", syscall.EACCES, report.Possible, "may be held by uid 1004"},
	} {
		f := machines(t)["no-capability"].record.Facts()
		f.Net.Sockets, f.Net.AllBound = f.Net.Sockets.Now(tt.has), f.Net.AllBound.Now(true)
		g := Goal{Network: tt.network, Addr: netip.MustParseAddr(tt.addr), Port: 443, Raises: true}
		if tt.errno == syscall.EADDRINUSE {
			f.Net.PortStart = f.Net.PortStart.Now(0)
		}
		var got report.Cause
		for _, c := range bindRefused(f, g, &net.OpError{Op: "listen", Err: tt.errno}).Causes {
			if c.ID == "address-in-use" {
				got = c
			}
		}
		if got.Certainty != tt.want || !strings.Contains(got.Summary, tt.owner) {
			t.Errorf("%s: %+v, want %q of %q", name, got, tt.want, tt.owner)
		}
	}
}
