package facts

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// ParseProcTCP reads /proc/net/tcp, tcp6, udp or udp6 (proc_net_tcp(5)), for
// where sock_diag is not to be had: the sockets on port. It tells neither
// cgroup nor IPV6_V6ONLY. While sockets come and go the kernel may show one twice:
// it goes on by position from one read to the next (tcp_seek_last_pos).
func ParseProcTCP(b []byte, network string, port int) ([]Socket, error) {
	var found []Socket
	seen := map[Socket]bool{}
	if header, _, _ := strings.Cut(string(b), "\n"); header == "" || b[len(b)-1] != '\n' {
		return nil, fmt.Errorf("/proc/net/%s: cut short", network)
	}
	header := true
	for row := range strings.Lines(string(b)) {
		if header {
			header = false
			continue
		}
		f := strings.Fields(row)
		if len(f) < 10 {
			return nil, fmt.Errorf("/proc/net/%s: %q is too short", network, row)
		}
		addr, err := parseProcAddr(f[1])
		if err != nil {
			return nil, fmt.Errorf("/proc/net/%s: %w", network, err)
		}
		if int(addr.Port()) != port {
			continue
		}
		uid, errUID := strconv.ParseUint(f[7], 10, 32)
		inode, errInode := strconv.ParseUint(f[9], 10, 64)
		if err := errors.Join(errUID, errInode); err != nil {
			return nil, fmt.Errorf("/proc/net/%s: %w", network, err)
		}
		s := Socket{
			Network: network, Addr: addr, Listen: strings.HasPrefix(network, "tcp") && f[3] == "0A",
			V6Unknown: strings.HasSuffix(network, "6"), UID: uint32(uid), Inode: inode,
		}
		if !seen[s] {
			seen[s] = true
			found = append(found, s)
		}
	}
	return found, nil
}

// parseProcAddr reads ADDRESS:PORT, the address in words of the machine's own
// byte order.
func parseProcAddr(s string) (netip.AddrPort, error) {
	words, port, _ := strings.Cut(s, ":")
	n, errPort := strconv.ParseUint(port, 16, 16)
	raw, errAddr := hex.DecodeString(words)
	if errPort != nil || errAddr != nil || len(raw) != 4 && len(raw) != 16 {
		return netip.AddrPort{}, fmt.Errorf("%q is no address", s)
	}
	for i := 0; i < len(raw); i += 4 {
		binary.NativeEndian.PutUint32(raw[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	addr, _ := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(addr, uint16(n)), nil
}
