package live

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/lowport/lowport/internal/facts"
	"golang.org/x/sys/unix"
)

// addresses lists the unicast addresses of the interfaces that are up.
func addresses() ([]netip.Addr, error) {
	ifs, err := net.Interfaces()
	if err != nil { // AF_NETLINK is denied to many services
		all, errProc := procAddresses()
		if errProc != nil {
			return nil, err
		}
		return all, nil
	}
	all := []netip.Addr{}
	for _, i := range ifs {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			return nil, err
		}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok {
				ip, ok := netip.AddrFromSlice(n.IP)
				if !ok {
					return nil, fmt.Errorf("interface %s: address %v", i.Name, a)
				}
				all = append(all, ip.Unmap())
			}
		}
	}
	return all, nil
}

// procAddresses reads the same without a socket.
func procAddresses() ([]netip.Addr, error) {
	b, err := os.ReadFile("/proc/thread-self/net/fib_trie")
	if err != nil {
		return nil, err
	}
	all, err := facts.ParseFibTrie(b)
	if err != nil {
		return nil, err
	}
	v6, _, err := inet6Addresses()
	return append(all, v6...), err
}

// inet6Addresses reads all IPv6 addresses, and which of them are tentative.
func inet6Addresses() (all, tentative []netip.Addr, err error) {
	b, err := os.ReadFile("/proc/thread-self/net/if_inet6")
	if errors.Is(err, unix.ENOENT) {
		return nil, nil, nil // this kernel has no IPv6
	}
	if err != nil {
		return nil, nil, err
	}
	return facts.ParseIfInet6(b)
}
