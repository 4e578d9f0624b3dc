package live

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"

	"github.com/lowport/lowport/internal/facts"
	"golang.org/x/sys/unix"
)

// addresses lists the unicast addresses of the interfaces that are up, which of them are
// tentative, and what only netlink shows of addresses: special is nil if it is denied.
func addresses() (all, tentative []netip.Addr, special []facts.Special, err error) {
	if all, tentative, special, err = netlinkAddresses(); err == nil {
		return all, tentative, special, nil
	}
	if all, tentative, errProc := procAddresses(); errProc == nil { // AF_NETLINK is denied to many services
		return all, tentative, nil, nil
	}
	return nil, nil, nil, err
}

// netlinkAddresses lists them by RTM_GETLINK and RTM_GETADDR of rtnetlink(7).
func netlinkAddresses() (all, tentative []netip.Addr, special []facts.Special, err error) {
	links := map[uint32]facts.Special{} // without an address
	var off []facts.Special             // the loopback interface, where it is down
	err = list(unix.RTM_GETLINK, unix.SizeofIfInfomsg, func(b []byte) error {
		index, flags := binary.NativeEndian.Uint32(b[4:]), binary.NativeEndian.Uint32(b[8:])
		link := facts.Special{Index: index, Down: flags&unix.IFF_UP == 0, NoCarrier: flags&(unix.IFF_UP|unix.IFF_RUNNING) == unix.IFF_UP}
		err := attributes(b[unix.SizeofIfInfomsg:], func(kind uint16, value []byte) {
			if kind == unix.IFLA_IFNAME {
				link.Dev = unix.ByteSliceToString(value)
			}
		})
		links[index] = link
		if link.Down && flags&unix.IFF_LOOPBACK != 0 {
			off = append(off, link)
		}
		return err
	})
	if err != nil {
		return nil, nil, nil, err
	}
	all, tentative, special = []netip.Addr{}, []netip.Addr{}, []facts.Special{}
	err = list(unix.RTM_GETADDR, unix.SizeofIfAddrmsg, func(b []byte) error {
		on, known := links[binary.NativeEndian.Uint32(b[4:])]
		a, flags, err := parseAddress(b)
		if err != nil || !known {
			return err
		}
		a = a.Unmap()
		unready := flags&unix.IFA_F_TENTATIVE != 0 && flags&unix.IFA_F_OPTIMISTIC == 0
		if !on.Down {
			all = append(all, a)
		}
		if unready && !on.Down {
			tentative = append(tentative, a)
		}
		if on.Addr, on.Duplicate = a, flags&unix.IFA_F_DADFAILED != 0; on.Down || unready || a.Is6() && a.IsLinkLocalUnicast() {
			special = append(special, on)
		}
		return nil
	})
	for _, lo := range off { // it gets ::1 when it comes up (addrconf_notify); 127.0.0.1 can be bound all the same
		lo.Addr = netip.IPv6Loopback()
		special = append(special, lo)
	}
	return all, tentative, special, err
}

// list sends an rtnetlink(7) request for a list, and calls each with every answer. An answer
// shorter than its header, size bytes, is an error.
func list(kind uint16, size int, each func([]byte) error) error {
	request := make([]byte, unix.SizeofNlMsghdr+unix.SizeofRtGenmsg+3) // of every family
	binary.NativeEndian.PutUint16(request[4:], kind)
	return netlink(unix.NETLINK_ROUTE, request, func(_ uint16, body []byte) error {
		if len(body) < size {
			return errCutShort
		}
		return each(body)
	})
}

// parseAddress reads an address of an interface, and its flags. On a point-to-point interface
// IFA_ADDRESS is the peer's, so IFA_LOCAL goes first.
func parseAddress(b []byte) (a netip.Addr, flags uint32, err error) {
	var local, address []byte
	flags = uint32(b[2]) // the low byte; IFA_FLAGS has all of them
	err = attributes(b[unix.SizeofIfAddrmsg:], func(kind uint16, value []byte) {
		switch {
		case kind == unix.IFA_LOCAL:
			local = value
		case kind == unix.IFA_ADDRESS:
			address = value
		case kind == unix.IFA_FLAGS && len(value) == 4:
			flags = binary.NativeEndian.Uint32(value)
		}
	})
	if local == nil {
		local = address
	}
	a, ok := netip.AddrFromSlice(local)
	if !ok {
		err = errors.Join(err, fmt.Errorf("netlink: an address of %d bytes", len(local)))
	}
	return a, flags, err
}

// procAddresses reads the same addresses from /proc/net, without a socket.
func procAddresses() (all, tentative []netip.Addr, err error) {
	b, err := os.ReadFile("/proc/thread-self/net/fib_trie")
	if err != nil {
		return nil, nil, err
	}
	if all, err = facts.ParseFibTrie(b); err != nil {
		return nil, nil, err
	}
	b, err = os.ReadFile("/proc/thread-self/net/if_inet6")
	if errors.Is(err, unix.ENOENT) {
		return all, []netip.Addr{}, nil // this kernel has no IPv6
	}
	if err != nil {
		return nil, nil, err
	}
	v6, tentative, err := facts.ParseIfInet6(b)
	return append(all, v6...), append([]netip.Addr{}, tentative...), err
}
