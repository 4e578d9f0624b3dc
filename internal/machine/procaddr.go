package machine

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
)

// parseFibTrie reads the IPv4 addresses of this machine out of its routes,
// /proc/net/fib_trie: each is a leaf "|-- ADDRESS" with a row "/32 host LOCAL".
func parseFibTrie(b []byte) ([]netip.Addr, error) {
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

// parseIfInet6 reads the IPv6 addresses of this machine, /proc/net/if_inet6: the
// first field of each row.
func parseIfInet6(b []byte) ([]netip.Addr, error) {
	var all []netip.Addr
	for row := range strings.Lines(string(b)) {
		text, _, _ := strings.Cut(row, " ")
		raw, err := hex.DecodeString(text)
		a, ok := netip.AddrFromSlice(raw)
		if err != nil || !ok || !a.Is6() {
			return nil, fmt.Errorf("/proc/net/if_inet6: %q", row)
		}
		all = append(all, a)
	}
	return all, nil
}
