package mask

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/netip"
	"strings"

	"github.com/lowport/lowport/internal/facts"
)

// An addrMask gives each address that is no loopback or wildcard another, of
// the ranges that belong to nobody: 198.18.0.0/15 (RFC 2544) and 2001:db8::/32
// (RFC 3849). A link-local address of IPv6 stays one.
type addrMask map[netip.Addr]netip.Addr

func (m addrMask) mask(a netip.Addr) netip.Addr {
	if zone := a.Zone(); zone != "" {
		return m.mask(a.WithZone("")).WithZone(maskZone(zone))
	}
	a = a.Unmap()
	if !a.IsValid() || a.IsLoopback() || a.IsUnspecified() {
		return a
	}
	if masked, ok := m[a]; ok {
		return masked
	}
	n := uint32(len(m)+1) % (1 << 17)
	var b [16]byte
	binary.BigEndian.PutUint32(b[12:], n)
	b[0], b[1], b[2], b[3] = 0x20, 0x01, 0x0d, 0xb8
	if a.IsLinkLocalUnicast() { // which the kernel takes only with a zone
		b[0], b[1], b[2], b[3] = 0xfe, 0x80, 0, 0
	}
	masked := netip.AddrFrom16(b)
	if a.Is4() {
		binary.BigEndian.PutUint32(b[:4], 198<<24|18<<16|n)
		masked = netip.AddrFrom4([4]byte(b[:4]))
	}
	m[a] = masked
	return masked
}

func maskSockets(b []byte, addrs addrMask) ([]byte, bool) {
	all, err := facts.ParseSockets(b)
	for i := range all {
		s := &all[i]
		s.Addr = netip.AddrPortFrom(addrs.mask(s.Addr.Addr()), s.Addr.Port())
		if s.Command != "" {
			s.Command = maskedProgram
		}
		s.Cgroup = maskCgroup(s.Cgroup)
		switch s.Network {
		case "tcp", "tcp6", "udp", "udp6":
		default:
			return nil, false
		}
	}
	return maskedJSON(all, err)
}

func maskAddresses(b []byte, addrs addrMask) ([]byte, bool) {
	all, err := facts.ParseAddresses(b)
	for i, a := range all {
		all[i] = addrs.mask(a)
	}
	return maskedJSON(all, err)
}

func maskSpecial(b []byte, addrs addrMask) ([]byte, bool) {
	all, err := facts.ParseSpecial(b)
	for i, s := range all {
		all[i].Addr, all[i].Dev = addrs.mask(s.Addr), maskZone(s.Dev)
	}
	return maskedJSON(all, err)
}

// maskZone returns the interface that stands for another one; two that differ stay different,
// but for one pair in 1000.
func maskZone(dev string) string {
	if dev == "lo" || strings.Trim(dev, "0123456789") == "" {
		return dev
	}
	return fmt.Sprint("eth", crc32.ChecksumIEEE([]byte(dev))%1000)
}

// maskedJSON writes a value that was read without an error.
func maskedJSON(v any, err error) ([]byte, bool) {
	if err != nil {
		return nil, false
	}
	b, err := json.Marshal(v)
	return append(b, '\n'), err == nil
}
