package facts

import (
	"net/netip"
	"runtime"
	"testing"
)

func FuzzProcTCP(f *testing.F) {
	f.Add("  sl\n   0: 0100007F:01BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 12345 1 0 100 0 0 10 0\n")
	f.Add("  sl\n   0: 00000000000000000000000001000000:01BB 0:0 0A 0:0 00:0 0 0 0 1\n")
	f.Fuzz(func(t *testing.T, text string) {
		found, err := ParseProcTCP([]byte(text), "tcp6", 443)
		for _, s := range found {
			if err != nil || s.Addr.Port() != 443 {
				t.Errorf("%+v, %v", s, err)
			}
		}
	})
}

func TestProcTCPRefuses(t *testing.T) {
	for _, row := range []string{"0: 0100007F:01BB", "0: 7F:01BB 0:0 0A 0:0 0:0 0 1 0 1", "0: 0100007F:01BB 0:0 0A 0:0 0:0 0 -1 0 1", "0: 0100007F 0:0 0A 0:0 0:0 0 1 0 1"} {
		if found, err := ParseProcTCP([]byte("sl\n"+row+"\n"), "tcp", 443); err == nil {
			t.Errorf("%q: %+v", row, found)
		}
	}
}

// What is cut short says nothing of who has the port: nobody is not an answer.
func TestProcTCPCutShort(t *testing.T) {
	const whole = "  sl\n   0: 0100007F:01BB 0:0 0A 0:0 00:0 0 1000 0 12345 1\n"
	if found, err := ParseProcTCP([]byte(whole), "tcp", 443); len(found) != 1 || err != nil {
		t.Errorf("%+v, %v", found, err)
	}
	for _, text := range []string{"", "\n", whole[:len(whole)-1], whole[:len(whole)-4], "  sl"} {
		if found, err := ParseProcTCP([]byte(text), "tcp", 443); err == nil {
			t.Errorf("%q: %+v", text, found)
		}
	}
}

// Only a TCP socket in the state LISTEN listens, and inode is the last column that is read.
func TestProcTCPListens(t *testing.T) {
	for _, tt := range []struct {
		network, state string
		want           bool
	}{
		{"tcp", "0A", true}, {"tcp", "01", false}, {"udp", "07", false}, {"udp", "0A", false},
	} {
		found, err := ParseProcTCP([]byte("  sl\n   0: 0100007F:01BB 0:0 "+tt.state+" 0:0 00:0 0 1000 0 12345\n"), tt.network, 443)
		if err != nil || len(found) != 1 || found[0].Listen != tt.want || found[0].Inode != 12345 || found[0].UID != 1000 {
			t.Errorf("%s %s: %+v, %v", tt.network, tt.state, found, err)
		}
	}
}

// A socket that the table shows twice is one.
func TestProcTCPTwice(t *testing.T) {
	const row = "   0: 0100007F:01BB 0:0 0A 0:0 00:0 0 1000 0 12345 1\n"
	if found, err := ParseProcTCP([]byte("  sl\n"+row+row), "tcp", 443); len(found) != 1 || err != nil {
		t.Errorf("%+v, %v", found, err)
	}
}

func FuzzProcAddresses(f *testing.F) {
	f.Add("Main:\n     |-- 192.0.2.2\n        /32 host LOCAL\n", "fd000000000000000000000000000002 04 40 00 40     eth0\n")
	f.Add("     |-- x\n", "fd00 04\n")
	f.Fuzz(func(t *testing.T, trie, inet6 string) {
		v4, err := ParseFibTrie([]byte(trie))
		for _, a := range v4 {
			if err != nil || !a.IsValid() {
				t.Errorf("%v, %v", a, err)
			}
		}
		v6, tentative, err := ParseIfInet6([]byte(inet6))
		if len(tentative) > len(v6) {
			t.Errorf("%v of %v", tentative, v6)
		}
		for _, a := range v6 {
			if err != nil || !a.Is6() {
				t.Errorf("%v, %v", a, err)
			}
		}
	})
}

// The routes as the kernel prints them: an address of the machine is a host route that is
// local, here in both tables; a network and a broadcast address are none.
func TestFibTrie(t *testing.T) {
	const trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     +-- 192.0.2.0/24 2 0 2\n" +
		"        |-- 192.0.2.0\n           /24 link UNICAST\n        |-- 192.0.2.2\n           /32 host LOCAL\n" +
		"        |-- 192.0.2.255\n           /32 link BROADCAST\nLocal:\n        |-- 192.0.2.2\n           /32 host LOCAL\n"
	all, err := ParseFibTrie([]byte(trie))
	if err != nil || len(all) != 1 || all[0] != netip.MustParseAddr("192.0.2.2") {
		t.Errorf("%v, %v", all, err)
	}
	if all, err := ParseFibTrie([]byte("     |-- 192.0.2\n        /32 host LOCAL\n")); err == nil {
		t.Errorf("a torn address: %v", all)
	}
}

// An address may be bound while it is tentative if it is optimistic too (ipv6_chk_addr,
// IFA_F_OPTIMISTIC). Other flags do not matter.
func TestIfInet6(t *testing.T) {
	const address = "fd000000000000000000000000000002"
	for flags, want := range map[string]bool{"80": false, "40": true, "44": false, "c0": true, "04": false} {
		all, tentative, err := ParseIfInet6([]byte(address + " 02 40 00 " + flags + "     eth0\n"))
		if err != nil || len(all) != 1 || all[0] != netip.MustParseAddr("fd00::2") || (len(tentative) == 1) != want {
			t.Errorf("flags %s: %v, tentative %v, %v", flags, all, tentative, err)
		}
	}
	for _, row := range []string{address + " 02 40 00 80\n", address + " 02 40 00 x eth0\n", "zz" + address[2:] + " 02 40 00 80 eth0\n",
		address + "zz 02 40 00 80 eth0\n", address[:8] + " 02 40 00 80 eth0\n", address[:10] + " 02 40 00 80 eth0\n"} {
		if all, _, err := ParseIfInet6([]byte(row)); err == nil {
			t.Errorf("%q: %v", row, all)
		}
	}
}

func TestProcAddr(t *testing.T) {
	if runtime.GOARCH == "s390x" {
		t.Skip("these are little-endian")
	}
	for text, want := range map[string]string{
		"0100007F:01BB":                         "127.0.0.1:443",
		"00000000:0050":                         "0.0.0.0:80",
		"00000000000000000000000001000000:0035": "[::1]:53",
		"B80D01200000000067452301EFCDAB89:FFFF": "[2001:db8::123:4567:89ab:cdef]:65535",
	} {
		if got, err := parseProcAddr(text); err != nil || got != netip.MustParseAddrPort(want) {
			t.Errorf("%s: %v, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", ":", "0100007F", "0100007F:", "0100007F:1FFFF", "0100007:01BB", "0100007G:01BB", "0100007F:01BB:0", "-100007F:01BB"} {
		if got, err := parseProcAddr(text); err == nil {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// Rows are told by their state, and the first that is none ends the table.
func TestProcSockets(t *testing.T) {
	const table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n" +
		"   0: 00000000:01BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 111 1 0 100 0 0 10 0\n" +
		"   1: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 113 1 0 100 0 0 10 0\n" +
		"   2: 0000\n" +
		"   3: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 114 1 0 100 0 0 10 0\n"
	var all []ProcSocket
	var failed error
	for s, err := range ProcSockets([]byte(table), "tcp") {
		if failed = err; err == nil {
			all = append(all, s)
		}
	}
	any4 := netip.IPv4Unspecified()
	want := []ProcSocket{{netip.AddrPortFrom(any4, 443), StateListen, 1000, 111}, {netip.AddrPortFrom(any4, 53), StateClose, 0, 113}}
	if failed == nil || len(all) != 2 || all[0] != want[0] || all[1] != want[1] {
		t.Errorf("%+v, %v", all, failed)
	}
}
