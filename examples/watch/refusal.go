package main

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/live"
	"golang.org/x/sys/unix"
)

// A refusal is a bind or listen that the kernel refused, as it told of it.
type refusal struct {
	PID, TID int // as this process sees them; 0 if it does not
	Command  string
	Call     string // "bind" or "listen"
	Errno    syscall.Errno
	Network  string // as for net.Listen, with the family of the socket
	MPTCP    bool
	Addr     netip.Addr // the zero Addr: every address
	Port     int
	Exe      string // its path in its mount namespace, "" if it is not known
	Cgroup   string // its path below the root of the cgroups, "" if it is not known

	Filtered bool // by a system call filter: the call did not reach the kernel

	heard live.Heard
	state string // what decides, for telling one situation from another
}

// A reader makes sense of events, as this process sees ids and cgroups.
type reader struct {
	shape shape
	pidNS uint64
	root  uint64 // the id of the cgroup that this process sees as the root
}

// Bits of the kernel's own, which no interface documents.
const (
	noNewPrivs   = 1 << 0    // PFA_NO_NEW_PRIVS in task_struct.atomic_flags
	dumpableMask = 3         // MMF_DUMPABLE_MASK in mm_struct.flags
	mntNosuid    = 1 << 0    // MNT_NOSUID in vfsmount.mnt_flags
	mntReadOnly  = 1 << 6    // MNT_READONLY
	sbReadOnly   = 1 << 0    // SB_RDONLY in super_block.s_flags
	sbNosuid     = 1 << 1    // SB_NOSUID
	deviceMinor  = 20        // bits of the minor number in a dev_t of the kernel
	perTick      = 1e9 / 100 // nanoseconds: USER_HZ is 100
)

// errOther is the error of what is no refusal of an internet address and a port.
var errOther = errors.New("not an address and a port")

// parse makes sense of one event.
func (r reader) parse(b []byte) (refusal, error) {
	if len(b) < int(r.shape.size) {
		return refusal{}, fmt.Errorf("event of %d bytes: cut short", len(b))
	}
	e := event{r.shape, r.pidNS, b}
	if word(b, atFailed) != 0 {
		return refusal{}, errors.New("the kernel could not read the thread that was refused")
	}
	v := refusal{
		Call:  map[uint64]string{unix.SYS_BIND: "bind", unix.SYS_LISTEN: "listen"}[word(b, atCall)],
		Errno: syscall.Errno(-int64(word(b, atErrno))), Command: text(e.bytes("comm")),
		PID: e.pid("tgid"), TID: e.pid("pid"), Exe: e.path(),
	}
	v.Filtered = word(b, atFiltered) != 0
	if err := v.socket(e); err != nil {
		return refusal{}, err
	}
	v.Cgroup = e.cgroup(r.root)
	var err error
	if v.heard, err = v.evidence(e); err != nil {
		return refusal{}, err
	}
	v.state = fmt.Sprint(v.Filtered, e.bytes("atomic flags"), e.bytes("seccomp"), e.bytes("securebits"), e.bytes("exe mount flags"),
		e.bytes("port start"), e.bytes("user ns level"), e.bytes("owner level"))
	for _, name := range append(ids, sets...) {
		v.state += fmt.Sprint(e.bytes(name))
	}
	return v, nil
}

// socket finds out what the socket is, and which address was asked for.
func (v *refusal) socket(e event) error {
	protocol, kind := e.number("protocol"), "tcp"
	switch {
	case e.number("type") == unix.SOCK_DGRAM:
		kind = "udp"
	case e.number("type") != unix.SOCK_STREAM:
		return errOther
	}
	const mptcp = unix.IPPROTO_MPTCP
	v.MPTCP = protocol == mptcp || protocol == mptcp&0xff && kind == "tcp" && protocol != unix.IPPROTO_TCP
	family := e.number("family")
	if v.Call == "listen" {
		v.Port = int(e.number("bound port"))
		v.Addr = netip.AddrFrom4([4]byte(e.bytes("bound v4")))
		if family == unix.AF_INET6 {
			v.Addr = netip.AddrFrom16([16]byte(e.bytes("bound v6")))
		}
	} else if err := v.asked(e.data, family); err != nil {
		return err
	}
	if v.Port == 0 { // any port will do, as where a program tries what this machine has
		return errOther
	}
	v.Addr = v.Addr.Unmap()
	v.Network = kind
	switch {
	case family == unix.AF_INET || v.Addr.Is4() && !v.Addr.IsUnspecified():
		v.Network += "4"
	case !v.Addr.IsUnspecified() || e.number("v6only") != 0:
		v.Network += "6"
	}
	if v.Addr.IsUnspecified() {
		v.Addr = netip.Addr{}
	}
	return nil
}

// asked reads the address that the program gave to bind(2).
func (v *refusal) asked(b []byte, family uint64) error {
	v4, v6 := b[atAddr4:atAddr6], b[atAddr6:atFields]
	if word(b, atNoAddr4) != 0 || family == unix.AF_INET6 && word(b, atNoAddr6) != 0 {
		return errOther // EFAULT
	}
	v.Port = int(binary.BigEndian.Uint16(v4[2:]))
	if family == unix.AF_INET {
		v.Addr = netip.AddrFrom4([4]byte(v4[4:8]))
		return nil
	}
	v.Addr = netip.AddrFrom16([16]byte(v6[8:24]))
	if zone := binary.NativeEndian.Uint32(v6[24:28]); zone != 0 && v.Addr.IsLinkLocalUnicast() {
		v.Addr = v.Addr.WithZone(strconv.FormatUint(uint64(zone), 10))
	}
	return nil
}

// filterRefuses are the answers to binds of a process whose filter refused one: a filter does not see
// the address, so it refuses them all.
func filterRefuses(errno syscall.Errno) facts.Item {
	var all []facts.Probe
	for _, network := range []string{"tcp4", "tcp6", "mptcp4", "mptcp6", "udp4", "udp6"} {
		all = append(all, facts.Probe{Network: network, Errno: unix.ErrnoName(errno), When: facts.BeforePort, By: facts.ByFilter})
	}
	b, err := json.Marshal(all)
	if err != nil {
		return facts.Item{Err: err.Error()}
	}
	return facts.Item{Data: b}
}

var (
	ids  = []string{"uid", "euid", "suid", "fsuid", "gid", "egid", "sgid", "fsgid"}
	sets = []string{"inheritable", "permitted", "effective", "bset", "ambient"}
)

// evidence returns what the kernel told of the process.
func (v *refusal) evidence(e event) (live.Heard, error) {
	h := live.Heard{
		PID: v.PID, Parent: e.pid("parent"), Started: int64(e.number("started") / perTick), Auxv: e.bytes("auxv"),
		Net: e.number("net ns"), Mnt: e.number("mnt ns"), Users: e.number("user ns 0"), Ino: e.number("exe ino"),
		Known: facts.Record{}, Otherwise: facts.Record{},
	}
	dev := e.number("exe dev")
	h.Dev = unix.Mkdev(uint32(dev>>deviceMinor), uint32(dev&(1<<deviceMinor-1)))
	set := func(name, format string, values ...any) {
		h.Known[name] = facts.Item{Data: fmt.Appendf(nil, format, values...)}
	}
	if !e.inside("parent") { // what it sees as 0
		h.Parent = 0
	}
	set("proc/thread-self/status", "%s", v.status(e, h))
	set("prctl PR_GET_SECUREBITS", "%d\n", e.number("securebits"))
	set("prctl PR_GET_DUMPABLE", "%d\n", e.number("dumpable")&dumpableMask)
	set("proc/self/ns/user", "user:[%d]", h.Users)
	set("proc/self/ns/net", "net:[%d]", h.Net)
	set("proc/self/ns/uts", "uts:[%d]", e.number("uts ns"))
	set("proc/sys/net/ipv4/ip_unprivileged_port_start", "%d\n", e.number("port start"))
	set("exe statfs", "%#x\n", e.mountFlags())
	if secure, ok := auxiliary(h.Auxv, atSecure); ok {
		set("AT_SECURE", "%d\n", secure)
	}
	if level := e.number("pid level"); level < depth {
		set("proc/self/ns/pid", "pid:[%d]", e.number(nth("pid ns", int(level))))
	}
	// If there are as many users as threads, no other process shares its folders (CLONE_FS). If there are
	// more, a thread may be about to be born.
	if e.number("fs users") <= e.number("threads") {
		set("folders shared", "false\n")
	}
	if v.Filtered && v.Call == "bind" {
		h.Known["probes"] = filterRefuses(v.Errno)
	}
	if owner, err := e.owner(); err == nil {
		h.Known["ioctl NS_GET_USERNS"] = owner
	}
	for _, kind := range []string{"uid", "gid"} {
		if text, ok := e.idMap(kind); ok {
			h.Known["proc/self/"+kind+"_map"] = facts.Item{Data: text}
		}
	}
	if args, ok := e.text("args"); ok {
		h.Known["args"] = facts.Item{Data: args}
	}
	if environ, ok := e.text("environ"); ok {
		h.Known["environ"] = facts.Item{Data: live.MarksIn(environ)}
	}
	if v.Exe != "" {
		h.Otherwise["proc/self/exe"] = facts.Item{Data: []byte(v.Exe)}
	}
	if v.Cgroup != "" {
		h.Otherwise["proc/self/cgroup"] = facts.Item{Data: []byte("0::" + v.Cgroup + "\n")}
	}
	return h, nil
}

// status writes the lines of proc_pid_status(5) of the thread.
func (v *refusal) status(e event, h live.Heard) []byte {
	var b bytes.Buffer
	tracer := 0
	if e.number("ptrace") != 0 {
		tracer = e.pid("tracer")
	}
	fmt.Fprintf(&b, "Tgid:\t%d\nPPid:\t%d\nTracerPid:\t%d\nNSpid:", v.PID, h.Parent, tracer)
	for _, id := range e.pids("tgid") {
		fmt.Fprintf(&b, "\t%d", id)
	}
	b.WriteString("\nUid:")
	for i, id := range ids {
		if i == 4 {
			b.WriteString("\nGid:")
		}
		fmt.Fprintf(&b, "\t%d", e.number(id))
	}
	b.WriteByte('\n')
	for i, name := range []string{"Inh", "Prm", "Eff", "Bnd", "Amb"} {
		fmt.Fprintf(&b, "Cap%s:\t%s\n", name, caps.Set(e.number(sets[i])).Hex())
	}
	fmt.Fprintf(&b, "NoNewPrivs:\t%d\nSeccomp:\t%d\n", e.number("atomic flags")&noNewPrivs, e.number("seccomp"))
	return b.Bytes()
}

// An event is the bytes that the kernel sent.
type event struct {
	shape shape
	pidNS uint64 // the inode of the pid namespace of this process
	data  []byte
}

func (e event) bytes(name string) []byte {
	at := e.shape.fields[name]
	return e.data[at.at : at.at+at.size]
}

// number returns a field as a number.
func (e event) number(name string) uint64 {
	var room [8]byte
	copy(room[:], e.bytes(name))
	n := binary.LittleEndian.Uint64(room[:]) // as amd64 and arm64 have it
	if at := e.shape.fields[name]; at.bits > 0 {
		n = n >> at.shift & (1<<at.bits - 1)
	}
	return n
}

func word(b []byte, at int) uint64 { return binary.NativeEndian.Uint64(b[at:]) }

func text(b []byte) string {
	before, _, _ := bytes.Cut(b, []byte{0})
	return string(before)
}

// pid returns an id as this process sees it, 0 if it does not.
func (e event) pid(of string) int {
	if all := e.pids(of); len(all) > 0 {
		return all[0]
	}
	return 0
}

// pids returns an id in the pid namespace of this process and in those below it, as NSpid
// in proc_pid_status(5); none if this process does not see it.
func (e event) pids(of string) (all []int) {
	for i := range min(int(e.number(of+" level"))+1, depth) {
		if all != nil || e.number(nth(of+" ns", i)) == e.pidNS {
			all = append(all, int(e.number(nth(of, i))))
		}
	}
	return all
}

// inside reports whether a process is in the pid namespace of the thread.
func (e event) inside(of string) bool {
	level := e.number("tgid level")
	return level < depth && e.number(of+" level") >= level && e.number(nth(of+" ns", int(level))) == e.number(nth("tgid ns", int(level)))
}

// text returns one of the texts, if it could be read whole.
func (e event) text(name string) ([]byte, bool) {
	length := int64(e.number(name + " length"))
	if length < 0 {
		return nil, false
	}
	return bytes.Clone(e.bytes(name)[:length]), true
}

// idMap returns the map of a user namespace as the initial one sees it (uid_m_show), if it
// has so few lines that the kernel keeps them in place.
func (e event) idMap(kind string) ([]byte, bool) {
	lines, all := e.number(kind+" map length"), e.bytes(kind+" map")
	const size = 12 // first, lower_first, count
	if lines*size > uint64(len(all)) {
		return nil, false
	}
	text := []byte{}
	for ; lines > 0; lines, all = lines-1, all[size:] {
		number := binary.NativeEndian.Uint32
		text = fmt.Appendf(text, "%10d %10d %10d\n", number(all), number(all[4:]), number(all[8:]))
	}
	return text, true
}

// cgroup returns the path of the cgroup below the root with that id, as /proc/PID/cgroup; "" if
// it is not below it, or too far.
func (e event) cgroup(root uint64) string {
	path := ""
	for i := range groups {
		at := int(e.shape.groups) + i*groupSize
		switch word(e.data, at) {
		case root:
			return cmp.Or(path, "/")
		case 0:
			return ""
		}
		path = "/" + text(e.data[at+8:at+groupSize]) + path
	}
	return ""
}

// path returns the path of the executable in its mount namespace, "" if it is longer than an
// event.
func (e event) path() string {
	if word(e.data, atSteps) == 0 {
		return ""
	}
	path := ""
	for i := range names {
		at := int(e.shape.names) + i*nameSize
		if name := text(e.data[at : at+nameSize]); name != "" {
			path = "/" + name + path
		}
	}
	return path
}

// mountFlags returns the flags of statfs(2) that the executable's mount has
// (calculate_f_flags).
func (e event) mountFlags() (flags uint64) {
	mount, sb := e.number("exe mount flags"), e.number("exe sb flags")
	if mount&mntNosuid != 0 || sb&sbNosuid != 0 {
		flags |= unix.ST_NOSUID
	}
	if mount&mntReadOnly != 0 || sb&sbReadOnly != 0 {
		flags |= unix.ST_RDONLY
	}
	return flags
}

// owner answers as ioctl_ns(2) does NS_GET_USERNS for the network namespace: it names the user
// namespace that owns it, unless that is outside the thread's own (ns_get_owner).
func (e event) owner() (facts.Item, error) {
	level, ours := int(e.number("owner level")), int(e.number("user ns level"))
	if level >= depth || ours >= depth {
		return facts.Item{}, errors.New("too many user namespaces in one another")
	}
	if up := level - ours; up < 0 || e.number(nth("owner", up)) != e.number("user ns 0") {
		return facts.Item{Err: "EPERM"}, nil
	}
	return facts.Item{Data: fmt.Appendf(nil, "user:[%d]\n", e.number("owner 0"))}, nil
}

const atSecure = 23 // AT_SECURE in getauxval(3)

// auxiliary returns a value of an auxiliary vector, which is pairs of words.
func auxiliary(v []byte, key uint64) (uint64, bool) {
	for ; len(v) >= 16; v = v[16:] {
		if word(v, 0) == key {
			return word(v, 8), true
		}
	}
	return 0, false
}

// err returns the error that package net would have returned.
func (v *refusal) err() error {
	var at net.Addr = &net.TCPAddr{IP: v.Addr.AsSlice(), Port: v.Port, Zone: v.Addr.Zone()}
	if strings.HasPrefix(v.Network, "udp") {
		at = &net.UDPAddr{IP: v.Addr.AsSlice(), Port: v.Port, Zone: v.Addr.Zone()}
	}
	return &net.OpError{Op: "listen", Net: v.Network, Addr: at, Err: os.NewSyscallError(v.Call, v.Errno)}
}

// protocol is "tcp" or "udp".
func (v *refusal) protocol() string { return strings.TrimRight(v.Network, "46") }

// address returns the address as for net.Listen.
func (v *refusal) address() string {
	host := ""
	if v.Addr.IsValid() {
		host = v.Addr.String()
	}
	return net.JoinHostPort(host, strconv.Itoa(v.Port))
}
