package caps

import (
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

func TestParseAddr(t *testing.T) {
	if runtime.GOARCH == "s390x" {
		t.Skip("these are little-endian")
	}
	for text, want := range map[string]string{
		"0100007F:01BB":                         "127.0.0.1:443",
		"00000000:0050":                         "0.0.0.0:80",
		"00000000000000000000000001000000:0035": "[::1]:53",
		"B80D01200000000067452301EFCDAB89:FFFF": "[2001:db8::123:4567:89ab:cdef]:65535",
	} {
		if got, ok := parseAddr(text); !ok || got != netip.MustParseAddrPort(want) {
			t.Errorf("%s: %v, %v, want %s", text, got, ok, want)
		}
	}
	for _, text := range []string{"", ":", "0100007F", "0100007F:", "0100007F:1FFFF", "0100007:01BB", "0100007G:01BB", "0100007F:01BB:0", "-100007F:01BB"} {
		if got, ok := parseAddr(text); ok {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestReadHolders(t *testing.T) {
	link := func(to string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(to), Mode: fs.ModeSymlink} }
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	none := strings.NewReplacer("0000000000000400", "0000000000000000", "0000000000002400", "0000000000000000").Replace(status)
	const header = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	proc := fstest.MapFS{
		"self": link("7"), "uptime": file("1 1\n"),
		"7/status": file(status), "7/task/7/status": file(status), "7/task/8/status": file(none),
		"7/fd/0": link("/dev/null"), "7/fd/3": link("socket:[111]"), "7/fd/4": link("socket:[112]"), "7/fd/5": link("socket:[113]"), "7/fd/6": link("socket:[114]"),
		"7/ns/net": link("net:[4026531833]"),
		"7/net/tcp": file(header +
			"   0: 00000000:01BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 111 1 0 100 0 0 10 0\n" +
			"   1: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 112 1 0 100 0 0 10 0\n" +
			"   2: 00000000:0050 00000000:0000 01 00000000:00000000 00:00000000 00000000  1000        0 114 1 0 100 0 0 10 0\n"),
		"7/net/udp": file(header +
			"   0: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 113 1 0 100 0 0 10 0\n"),
		"9/status": file(none), "9/task/9/status": file(none),
		"10/status": file("Name:\tz\nState:\tZ (zombie)\n"),
		"11/status": file(status), "11/task/11/status": file("Name:\tbad\n"),
		"12/status": file(status), "12/task/12/status": file(status),
	}
	seen := 0
	for h, err := range ReadHolders(proc, 1024) {
		var got []string
		for _, l := range h.Listens {
			got = append(got, l.Network+" "+strconv.Itoa(int(l.Addr.Port())))
		}
		switch h.PID {
		case 7:
			if err != nil || strings.Join(got, " ") != "udp 53 tcp 443" || h.Name != "server" || h.UIDs != (UIDs{1000, 1000, 1000}) || len(h.Threads) != 2 {
				t.Errorf("%+v, %v", h, err)
			}
		case 11:
			if err == nil {
				t.Errorf("%+v", h)
			}
		default:
			t.Errorf("%+v, %v", h, err)
		}
		seen++
	}
	if seen != 2 { // 12 ends between its status and its descriptors
		t.Errorf("%d processes", seen)
	}
	for h, err := range ReadHolders(fstest.MapFS{"x": link("y")}, 1) {
		t.Error(h, err)
	}
}

func TestHolders(t *testing.T) {
	if runtime.GOOS != "linux" {
		for _, err := range Holders(1) {
			if !errors.Is(err, errors.ErrUnsupported) {
				t.Error(err)
			}
		}
		return
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	own, err := Process(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	seen := false
	for h, err := range Holders(65535) {
		if h.PID != os.Getpid() {
			continue
		}
		seen = true
		found := false
		for _, l := range h.Listens {
			found = found || l.Network == "tcp" && l.Addr == ln.Addr().(*net.TCPAddr).AddrPort()
		}
		if err != nil || !found {
			t.Errorf("%+v, %v, want %v", h, err, ln.Addr())
		}
	}
	if holds := own.Permitted|own.Inheritable|own.Ambient != 0; seen != holds {
		t.Errorf("seen %v, holds %v", seen, holds)
	}
}

// What a table has, each inode has once; what is cut short is an error.
func FuzzParseListens(f *testing.F) {
	const header = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	f.Add([]byte(header+"   0: 00000000:01BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 111 1 0 100 0 0 10 0\n"), "tcp")
	f.Add([]byte(header+"   0: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 113 1 0 100 0 0 10 0\n"), "udp6")
	f.Add([]byte(header+"   0: 0000"), "tcp6")
	f.Fuzz(func(t *testing.T, text []byte, table string) {
		all, err := ParseListens(text, table)
		if err != nil && all != nil {
			t.Errorf("%v beside %v", all, err)
		}
		for inode, l := range all {
			if !l.Addr.IsValid() || l.Network != "tcp" && l.Network != "udp" {
				t.Errorf("%d: %+v", inode, l)
			}
		}
	})
}
