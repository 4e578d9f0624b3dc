package machine

import (
	"net"
	"net/netip"
	"reflect"
	"slices"
	"testing"

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
		want, err := dumpAll(port)
		if err != nil {
			t.Skip("no sock_diag here: ", err)
		}
		got, err := readProcTCP(port)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 || !reflect.DeepEqual(without(got), without(want)) {
			t.Errorf("%s: sock_diag %+v, /proc/net %+v", address, want, got)
		}
	}
}

// Both ways to see this machine's addresses show the same ones.
func TestProcAddressesAgree(t *testing.T) {
	want, err := addresses()
	if err != nil {
		t.Fatal(err)
	}
	got, err := procAddresses()
	if err != nil {
		t.Fatal(err)
	}
	for _, all := range [][]netip.Addr{got, want} {
		slices.SortFunc(all, netip.Addr.Compare)
	}
	if len(got) == 0 || !slices.Equal(got, want) {
		t.Errorf("net.Interfaces %v, /proc/net %v", want, got)
	}
}

// without leaves out what one of the two ways to see a socket does not tell.
func without(all []Socket) []Socket {
	all = slices.Clone(all)
	for i := range all {
		all[i].V6Only, all[i].cgroupID, all[i].Cgroup = false, 0, ""
	}
	slices.SortFunc(all, func(a, b Socket) int { return a.Addr.Compare(b.Addr) })
	return all
}
