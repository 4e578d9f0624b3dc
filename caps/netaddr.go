package caps

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"
)

// parseAddr reads an address of /proc/net/tcp, proc_pid_net(5): 32-bit words
// of network byte order that are printed as this machine reads them, and the
// port, all in hex.
func parseAddr(text string) (netip.AddrPort, bool) {
	host, service, ok := strings.Cut(text, ":")
	if !ok || len(host) != 8 && len(host) != 32 {
		return netip.AddrPort{}, false
	}
	port, err := strconv.ParseUint(service, 16, 16)
	if err != nil {
		return netip.AddrPort{}, false
	}
	var b []byte
	for ; host != ""; host = host[8:] {
		word, err := strconv.ParseUint(host[:8], 16, 32)
		if err != nil {
			return netip.AddrPort{}, false
		}
		b = binary.NativeEndian.AppendUint32(b, uint32(word))
	}
	addr, _ := netip.AddrFromSlice(b)
	return netip.AddrPortFrom(addr, uint16(port)), true
}
