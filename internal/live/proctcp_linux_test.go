package live

import (
	"errors"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/internal/needs"
)

// Both ways to see the sockets of a port show the same ones.
func TestProcTCPAgrees(t *testing.T) {
	ipv6 := needs.IPv6(t)
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		if address == "[::1]:0" && !ipv6 {
			continue
		}
		ln, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		port := ln.Addr().(*net.TCPAddr).Port
		want, err := dumpAll(port, both, dump)
		if err != nil {
			t.Skip("no sock_diag here: ", err)
		}
		got, err := readProcTCP(port, both)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 || !reflect.DeepEqual(without(got), without(want)) {
			t.Errorf("%s: sock_diag %+v, /proc/net %+v", address, want, got)
		}
	}
}

// A kernel without udp_diag answers ENOENT, as every kernel does for a protocol of
// which sock_diag knows nothing: that there are no sockets it does not say.
func TestDumpWithoutModule(t *testing.T) {
	if _, err := dump(unix.AF_INET, 200, 443); !errors.Is(err, unix.ENOENT) {
		t.Skip("no sock_diag here: ", err)
	}
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	port := c.LocalAddr().(*net.UDPAddr).Port
	found, err := dumpAll(port, both, func(family, proto uint8, port int) ([]socket, error) {
		if proto == unix.IPPROTO_UDP {
			return dump(family, 200, port)
		}
		return dump(family, proto, port)
	})
	if len(found) != 1 || err != nil {
		t.Errorf("%+v, %v", found, err)
	}
}

// Both ways to see this machine's addresses show the same ones.
func TestProcAddressesAgree(t *testing.T) {
	want, _, _, err := netlinkAddresses()
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := procAddresses()
	if err != nil {
		t.Fatal(err)
	}
	for _, all := range [][]netip.Addr{got, want} {
		slices.SortFunc(all, netip.Addr.Compare)
	}
	if len(got) == 0 || !slices.Equal(got, want) {
		t.Errorf("netlink %v, /proc/net %v", want, got)
	}
}

// without leaves out what one of the two ways to see a socket does not tell.
var both = []string{"tcp", "udp"}

func without(all []socket) []socket {
	all = slices.Clone(all)
	for i := range all {
		all[i].V6Only, all[i].V6Unknown, all[i].cgroupID, all[i].Cgroup = false, false, 0, ""
	}
	slices.SortFunc(all, func(a, b socket) int { return a.Addr.Compare(b.Addr) })
	return all
}
