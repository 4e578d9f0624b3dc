package facts

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"strconv"
	"strings"
)

// A ProcSocket is a row of a table in /proc/PID/net.
type ProcSocket struct {
	Addr  netip.AddrPort // local
	State uint8          // of <net/tcp_states.h>, also of UDP
	UID   uint32
	Inode uint64
}

// The states that say whether a socket waits for others to come.
const (
	StateClose  = 7  // TCP_CLOSE: a UDP socket that is bound and not connected
	StateListen = 10 // TCP_LISTEN
)

// ProcSockets reads the rows of /proc/PID/net/tcp, tcp6, udp or udp6 (proc_pid_net(5)),
// of a kernel with this machine's byte order. The first error ends it: what is cut short
// or is no row says nothing of the rest.
func ProcSockets(b []byte, network string) iter.Seq2[ProcSocket, error] {
	return func(yield func(ProcSocket, error) bool) {
		header, rows, _ := strings.Cut(string(b), "\n")
		if header == "" || b[len(b)-1] != '\n' {
			yield(ProcSocket{}, fmt.Errorf("/proc/net/%s: cut short", network))
			return
		}
		for row := range strings.Lines(rows) {
			s, err := parseProcSocket(row)
			if err != nil {
				err = fmt.Errorf("/proc/net/%s: %w", network, err)
			}
			if !yield(s, err) || err != nil {
				return
			}
		}
	}
}

// parseProcSocket reads one row: sl local_address rem_address st queues timer retrnsmt
// uid timeout inode.
func parseProcSocket(row string) (ProcSocket, error) {
	f := strings.Fields(row)
	if len(f) < 10 {
		return ProcSocket{}, fmt.Errorf("%.80q is too short", row)
	}
	addr, errAddr := parseProcAddr(f[1])
	state, errState := strconv.ParseUint(f[3], 16, 8)
	uid, errUID := strconv.ParseUint(f[7], 10, 32)
	inode, errInode := strconv.ParseUint(f[9], 10, 64)
	return ProcSocket{addr, uint8(state), uint32(uid), inode}, errors.Join(errAddr, errState, errUID, errInode)
}

// ParseProcTCP reads the sockets on a port from such a table, for where sock_diag is not
// to be had. It tells neither cgroup nor IPV6_V6ONLY. While sockets come and go the
// kernel may show one twice: it goes on by position from one read to the next
// (tcp_seek_last_pos).
func ParseProcTCP(b []byte, network string, port int) ([]Socket, error) {
	var found []Socket
	seen := map[ProcSocket]bool{}
	for row, err := range ProcSockets(b, network) {
		if err != nil {
			return nil, err
		}
		if int(row.Addr.Port()) != port {
			continue
		}
		s := Socket{
			Network: network, Addr: row.Addr, Listen: strings.HasPrefix(network, "tcp") && row.State == StateListen,
			V6Unknown: strings.HasSuffix(network, "6"), UID: row.UID, Inode: row.Inode,
		}
		if !seen[row] {
			seen[row] = true
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
