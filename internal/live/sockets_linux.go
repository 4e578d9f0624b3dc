package live

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"strings"
	"unsafe"

	"github.com/lowport/lowport/internal/facts"
	"golang.org/x/sys/unix"
)

// sockets lists the sockets of the protocols, "tcp" and "udp", in this network namespace whose
// local port is one of ports, with their owners as far as they can be seen from here. source
// says where they were listed.
func sockets(ports []int, protocols []string) (all []facts.Socket, source string, err error) {
	var found []socket
	for _, port := range ports {
		some, from, err := listed(port, protocols)
		if err != nil {
			return nil, from, err
		}
		found, source = append(found, some...), from
	}
	nameCgroups(found)
	nameProcesses(found)
	nameEnds(found)
	all = make([]facts.Socket, len(found))
	for i, s := range found {
		all[i] = s.Socket
	}
	return all, source, nil
}

// listed lists the sockets of one port, by sock_diag(7) or from /proc/net.
func listed(port int, protocols []string) (found []socket, source string, err error) {
	if found, err = dumpAll(port, protocols, dump); err == nil {
		return found, facts.FromDiag, nil
	}
	found, errProc := readProcTCP(port, protocols)
	if errProc != nil {
		return nil, "", err
	}
	return found, facts.FromProc, nil
}

// A socket is a socket while it is described: nameCgroups, nameProcesses and nameEnds complete it.
type socket struct {
	facts.Socket
	cgroupID uint64 // as sock_diag gives it; 0 unknown
	folder   string // of that cgroup, "" unknown
}

// A question is one list of sock_diag(7).
type question struct {
	family, proto uint8
	networks      []string // whose sockets it lists, as /proc/net names them
}

// questionsOf returns the questions for the sockets of the protocols. The kernel walks through
// its whole table of TCP for each list, so both families are asked for at once.
func questionsOf(protocols []string) (all []question) {
	for _, protocol := range protocols {
		if protocol == "tcp" {
			all = append(all, question{unix.AF_UNSPEC, unix.IPPROTO_TCP, networksOf([]string{protocol})})
			continue
		}
		all = append(all, question{unix.AF_INET, unix.IPPROTO_UDP, []string{"udp"}},
			question{unix.AF_INET6, unix.IPPROTO_UDP, []string{"udp6"}})
	}
	return all
}

// dumpAll asks sock_diag(7) for the sockets of each protocol. ENOENT says that the kernel has no
// sock_diag for the protocol (inet_diag_lock_handler), as without the module udp_diag; then it
// reads them from /proc/net.
func dumpAll(port int, protocols []string, dump func(family, proto uint8, port int) ([]socket, error)) ([]socket, error) {
	found := []socket{}
	for _, q := range questionsOf(protocols) {
		some, err := dump(q.family, q.proto, port)
		if errors.Is(err, unix.ENOENT) {
			some, err = readProcNets(q.networks, port)
		}
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	return found, nil
}

// networksOf names the files in /proc/net with the sockets of the protocols.
func networksOf(protocols []string) (all []string) {
	for _, protocol := range protocols {
		all = append(all, protocol, protocol+"6")
	}
	return all
}

// readProcTCP reads the same sockets from /proc/net, without their cgroups and IPV6_V6ONLY. It
// needs no AF_NETLINK, which services are often denied.
func readProcTCP(port int, protocols []string) ([]socket, error) {
	return readProcNets(networksOf(protocols), port)
}

// readProcNets reads the sockets on a port from these files of /proc/net.
func readProcNets(networks []string, port int) ([]socket, error) {
	found := []socket{}
	for _, network := range networks {
		some, err := readProcNet(network, port)
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	return found, nil
}

// readProcNet reads the sockets on a port from one file of /proc/net.
func readProcNet(network string, port int) ([]socket, error) {
	b, err := os.ReadFile("/proc/thread-self/net/" + network)
	if errors.Is(err, unix.ENOENT) && strings.HasSuffix(network, "6") {
		return nil, nil // this kernel has no IPv6
	}
	if err != nil {
		return nil, err
	}
	rows, err := facts.ParseProcTCP(b, network, port)
	found := make([]socket, len(rows))
	for i, s := range rows {
		found[i].Socket = s
	}
	return found, err
}

// The requests and answers of sock_diag(7) for the Internet families, from
// <linux/inet_diag.h>. Ports and addresses are in network byte order.
type diagID struct {
	SPort, DPort [2]byte
	Src, Dst     [16]byte
	If           uint32
	Cookie       [2]uint32
}

type diagReq struct { // struct inet_diag_req_v2
	Header        unix.NlMsghdr
	Family, Proto uint8
	Ext, Pad      uint8
	States        uint32
	ID            diagID
	Filter        portFilter
}

type tcpDiagReq struct { // struct inet_diag_req
	Header       unix.NlMsghdr
	Family       uint8
	Src, Dst     uint8
	Ext          uint8
	ID           diagID
	States, Data uint32
	Filter       portFilter
}

// A portFilter is an attribute INET_DIAG_REQ_BYTECODE that accepts one local port.
type portFilter struct {
	Attr unix.NlAttr
	Code [4]diagOp
}

func filterOf(port int) portFilter {
	const ops = uint8(unsafe.Sizeof([4]diagOp{}))
	return portFilter{
		unix.NlAttr{Len: uint16(unsafe.Sizeof(portFilter{})), Type: bytecodeAttr},
		[4]diagOp{
			{opGE, 8, uint16(ops) + 4}, {opNop, 0, uint16(port)},
			{opLE, 8, uint16(ops) - 8 + 4}, {opNop, 0, uint16(port)},
		},
	}
}

// A diagOp is struct inet_diag_bc_op. A comparison takes two of them: the No of the second is
// the port.
type diagOp struct {
	Code, Yes uint8
	No        uint16
}

type diagMsg struct {
	Family, State, Timer, Retrans uint8
	ID                            diagID
	Expires, RQueue, WQueue       uint32
	UID, Inode                    uint32
}

const (
	sockDiagByFamily = 20 // SOCK_DIAG_BY_FAMILY
	tcpDiagGetSock   = 18 // TCPDIAG_GETSOCK
	bytecodeAttr     = 1  // INET_DIAG_REQ_BYTECODE
	v6OnlyAttr       = 11 // INET_DIAG_SKV6ONLY
	cgroupIDAttr     = 21 // INET_DIAG_CGROUP_ID, Linux 5.9
	opNop, opGE      = 0, 2
	opLE             = 3
	stateClose       = 7  // TCP_CLOSE
	stateListen      = 10 // TCP_LISTEN
)

// dump asks the kernel for the sockets of one family and protocol on port; it filters, so that
// 100,000 others cost little. AF_UNSPEC are both families, for TCP alone: TCPDIAG_GETSOCK heeds
// no family (inet_diag_dump_compat).
func dump(family, proto uint8, port int) ([]socket, error) {
	req := diagReq{Family: family, Proto: proto, States: ^uint32(0), Filter: filterOf(port)}
	kind, request := uint16(sockDiagByFamily), unsafe.Slice((*byte)(unsafe.Pointer(&req)), unsafe.Sizeof(req))
	if family == unix.AF_UNSPEC {
		req := tcpDiagReq{Family: unix.AF_INET, States: ^uint32(0), Filter: filterOf(port)}
		kind, request = tcpDiagGetSock, unsafe.Slice((*byte)(unsafe.Pointer(&req)), unsafe.Sizeof(req))
	}
	(*unix.NlMsghdr)(unsafe.Pointer(&request[0])).Type = kind
	var found []socket
	err := netlink(unix.NETLINK_SOCK_DIAG, request, func(answered uint16, body []byte) error {
		if answered != kind {
			return nil
		}
		s, err := parseDiag(body, proto)
		found = append(found, s)
		return err
	})
	return found, err
}

func parseDiag(b []byte, proto uint8) (socket, error) {
	const size = int(unsafe.Sizeof(diagMsg{}))
	if len(b) < size {
		return socket{}, errCutShort
	}
	m := (*diagMsg)(unsafe.Pointer(&b[0]))
	addr, network := netip.AddrFrom16(m.ID.Src), "tcp6"
	if m.Family == unix.AF_INET {
		addr, network = netip.AddrFrom4([4]byte(m.ID.Src[:4])), "tcp"
	}
	if proto == unix.IPPROTO_UDP {
		network = "udp" + network[len("tcp"):]
	}
	s := socket{Socket: facts.Socket{
		Network: network,
		Addr:    netip.AddrPortFrom(addr, binary.BigEndian.Uint16(m.ID.SPort[:])),
		Listen:  proto == unix.IPPROTO_TCP && m.State == stateListen,
		Bound:   proto == unix.IPPROTO_TCP && m.State == stateClose, // since Linux 6.8
		UID:     m.UID, Inode: uint64(m.Inode),
	}}
	err := attributes(b[size:], func(kind uint16, value []byte) {
		switch {
		case kind == v6OnlyAttr && len(value) >= 1:
			s.V6Only = value[0] != 0
		case kind == cgroupIDAttr && len(value) >= 8:
			s.cgroupID = binary.NativeEndian.Uint64(value)
		}
	})
	return s, err
}
