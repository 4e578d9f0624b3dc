package facts

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// A SocketUnit is a listener of a .socket unit.
type SocketUnit struct {
	Name    string         // of the unit, "app.socket"
	Network string         // "tcp4", "tcp6", "udp4" or "udp6"
	Addr    netip.AddrPort // where it is bound
	Both    bool           // one of IPv6 that takes IPv4 too
}

// ParseListen reads an address as ListenStream= ("tcp") or ListenDatagram= ("udp") has it: a
// port, or one with an IP address. Any other is of no port.
func ParseListen(protocol, address string, only6 bool) (SocketUnit, bool) {
	if port, err := strconv.ParseUint(address, 10, 16); err == nil && port > 0 {
		return SocketUnit{Network: protocol + "6", Addr: netip.AddrPortFrom(netip.IPv6Unspecified(), uint16(port)), Both: !only6}, true
	}
	at, err := netip.ParseAddrPort(address)
	if err != nil || at.Port() == 0 {
		return SocketUnit{}, false
	}
	if at.Addr().Is4() {
		return SocketUnit{Network: protocol + "4", Addr: at}, true
	}
	return SocketUnit{Network: protocol + "6", Addr: at, Both: at.Addr().IsUnspecified() && !only6}, true
}

// errOddSocketUnit is the error of a .socket unit that may pass its service something else.
var errOddSocketUnit = errors.New("a .socket unit that says more than where it listens")

// ParseSocketUnit reads the listeners of a .socket unit of that name (systemd.socket(5)), as far
// as they have a port. A unit that may pass them to another program is an error, as is
// one whose lines go on in the next.
func ParseSocketUnit(name, text string) ([]SocketUnit, error) {
	all := []SocketUnit{}
	only6, section := false, ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		key, value, _ := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch {
		case strings.HasSuffix(line, `\`), strings.Contains(value, "%"):
			return nil, errOddSocketUnit
		case strings.HasPrefix(line, "["):
			section = line
		case line == "", line[0] == '#', line[0] == ';', section != "[Socket]":
		case key == "ListenStream" && value != "", key == "ListenDatagram" && value != "":
			protocol := map[string]string{"ListenStream": "tcp", "ListenDatagram": "udp"}[key]
			if s, ok := ParseListen(protocol, value, false); ok {
				s.Name = name
				all = append(all, s)
			}
		case strings.HasPrefix(key, "Listen") && value == "":
			all = all[:0]
		case key == "BindIPv6Only":
			only6 = value == "ipv6-only"
		case key == "Accept", key == "Service":
			return nil, errOddSocketUnit
		}
	}
	for i := range all {
		all[i].Both = all[i].Both && !only6
	}
	return all, nil
}
