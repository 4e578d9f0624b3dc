package facts

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// ParseFibTrie reads the IPv4 addresses of this machine out of its routes,
// /proc/net/fib_trie: each is a leaf "|-- ADDRESS" with a row "/32 host LOCAL".
func ParseFibTrie(b []byte) ([]netip.Addr, error) {
	var all []netip.Addr
	var leaf netip.Addr
	seen := map[netip.Addr]bool{} // both tables may have it
	for row := range strings.Lines(string(b)) {
		row = strings.TrimSpace(row)
		if text, ok := strings.CutPrefix(row, "|-- "); ok {
			a, err := netip.ParseAddr(text)
			if err != nil {
				return nil, fmt.Errorf("/proc/net/fib_trie: %w", err)
			}
			leaf = a
		}
		if row == "/32 host LOCAL" && leaf.IsValid() && !seen[leaf] {
			seen[leaf] = true
			all = append(all, leaf)
		}
	}
	return all, nil
}

// ParseIfInet6 reads the IPv6 addresses of this machine, /proc/net/if_inet6: the
// address is the first field of each row, its flags the fifth. Tentative are
// those that cannot be bound until no duplicate of them was found on the
// network (ipv6_chk_addr).
func ParseIfInet6(b []byte) (all, tentative []netip.Addr, err error) {
	for row := range strings.Lines(string(b)) {
		fields := strings.Fields(row)
		if len(fields) != 6 {
			return nil, nil, fmt.Errorf("/proc/net/if_inet6: %q", row)
		}
		raw, err := hex.DecodeString(fields[0])
		a, ok := netip.AddrFromSlice(raw)
		flags, errFlags := strconv.ParseUint(fields[4], 16, 8)
		if err != nil || !ok || !a.Is6() || errFlags != nil {
			return nil, nil, fmt.Errorf("/proc/net/if_inet6: %q", row)
		}
		all = append(all, a)
		if flags&ifaTentative != 0 && flags&ifaOptimistic == 0 {
			tentative = append(tentative, a)
		}
	}
	return all, tentative, nil
}

// A Special is an address of an interface that is link-local, or that cannot be bound as it is.
type Special struct {
	Addr      netip.Addr
	Dev       string // the interface
	Index     uint32 // of the interface
	Down      bool   `json:",omitempty"` // the interface is down
	NoCarrier bool   `json:",omitempty"` // the interface is up and has no carrier: no duplicate is looked for
	Duplicate bool   `json:",omitempty"` // another machine has it (IFA_F_DADFAILED)
}

// Has reports whether a zone, a name or a number, is that of the interface.
func (s Special) Has(zone string) bool {
	return zone == s.Dev || zone == strconv.FormatUint(uint64(s.Index), 10)
}

// ParseSpecial reads what a record says of such addresses.
func ParseSpecial(b []byte) ([]Special, error) {
	all, err := ParseJSON[[]Special](b)
	for _, s := range all {
		if !s.Addr.IsValid() || s.Dev == "" {
			return nil, fmt.Errorf("an address of an interface: %q on %q", s.Addr, s.Dev)
		}
	}
	return all, err
}

// SpecialAddress returns what is special about the address: on the interface that its zone
// names, else on any that has it.
func (n *Net) SpecialAddress(a netip.Addr) (found Special, ok bool) {
	for _, s := range n.Special.Value {
		if s.Addr == a.WithZone("").Unmap() && (!ok || s.Has(a.Zone())) {
			found, ok = s, true
		}
	}
	return found, ok
}

// IFA_F_ flags of <linux/if_addr.h>.
const (
	ifaOptimistic = 0x04
	ifaTentative  = 0x40
)
