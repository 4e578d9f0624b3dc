package facts

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/caps"
)

// Facts makes sense of a record. It is the only way from bytes to facts, for
// this machine and for a recorded one. What cannot be parsed is Unreadable.
func (r Record) Facts() Facts {
	f := Facts{
		Proc: Proc{
			Thread:    thread(r),
			Threads:   fact(r, "threads", parseThreads),
			IDs:       fact(r, own(r), ParseIDs),
			Groups:    fact(r, own(r), parseGroups),
			PID:       fact(r, own(r), StatusInt("Tgid", math.MaxInt32)),
			Parent:    fact(r, own(r), StatusInt("PPid", math.MaxInt32)),
			TracerPid: fact(r, own(r), StatusInt("TracerPid", math.MaxInt32)),
			Seccomp:   fact(r, own(r), StatusInt("Seccomp", 2)),
			AtInit:    fact(r, "at init", parseAtInit),
			Secure:    fact(r, "AT_SECURE", parseBool),
			Dumpable:  fact(r, "prctl PR_GET_DUMPABLE", parseInt),
			Dropped:   fact(r, "caps/drop", parseDropped(0)),
			Drops:     fact(r, "caps/drop", parseDropped(1)),
		},
		Kernel: Kernel{
			Release: fact(r, "uname", parseRelease),
			LastCap: fact(r, "proc/sys/kernel/cap_last_cap", parseCap),
			NoFile:  fact(r, "no_file_caps", parseBool),
			WSL:     fact(r, "uname", ParseWSL),
		},
		Launcher: Launcher{
			Init:        fact(r, "proc/1/status", caps.ParseStatus),
			Ancestor:    fact(r, "ancestor status", parseAncestor),
			Parent:      fact(r, "parent status", parseAncestor),
			Line:        fact(r, "ancestors", ParseJSON[[]Forebear]),
			Supervisor:  fact(r, "supervisor", ParseJSON[Supervisor]),
			Tracer:      fact(r, "tracer status", caps.ParseStatus),
			SharesFS:    fact(r, "folders shared", parseTruth),
			Operator:    fact(r, "operator", ParseJSON[Operator]),
			Tools:       fact(r, "tools", ParseJSON[Tools]),
			Sandbox:     fact(r, "sandbox", parseTruth),
			Unit:        unit(r),
			UnitFilters: fact(r, "unit filters", ParseJSON[[]string]),
			LastDropIn:  fact(r, "last drop-in", ParseJSON[string]),
			Stopped:     fact(r, "socket unit", ParseJSON[[]SocketUnit]),
			UserNamed:   hasEnv(r, "USER"),
			Container:   container(r),
			Authbind:    hasEnv(r, "AUTHBIND_LIB"),
		},
		File: File{
			Path:               fact(r, NameOfProgram(r), ParsePath),
			Deleted:            fact(r, NameOfProgram(r), parseDeleted),
			Exe:                image(r, "exe"),
			Installed:          image(r, "path"),
			Moved:              image(r, "moved"),
			Owners:             fact(r, "path owners", ParseJSON[[]uint32]),
			Fixed:              fact(r, "path attributes", parseAttributes),
			ChangedSince:       fact(r, "exe changed since", parseTruth),
			Danger:             fact(r, "path danger", parseDanger),
			MountPoint:         fact(r, "mount point", parsePlace),
			PathSeenByOperator: outside(r),
			ReadOnlyThere:      fact(r, "read-only outside", parseTruth),
			IdmappedThere:      fact(r, "idmapped outside", parseTruth),
		},
		Net: Net{
			UIDMap:    fact(r, "proc/self/uid_map", parseUIDMap),
			GIDMap:    fact(r, "proc/self/gid_map", parseUIDMap),
			UserNS:    fact(r, "proc/self/ns/user", parseNS("user")),
			NS:        fact(r, "proc/self/ns/net", parseNS("net")),
			Owner:     netOwner(r),
			Apart:     apart(r),
			Name:      network(r),
			PortStart: fact(r, "proc/sys/net/ipv4/ip_unprivileged_port_start", parsePort),
			Sockets:   sockets(r),
			AllBound:  allBound(r),
			Addresses: fact(r, "addresses", ParseAddresses),
			Tentative: fact(r, "tentative", ParseAddresses),
			Special:   fact(r, "special addresses", ParseSpecial),
			Ephemeral: fact(r, "proc/sys/net/ipv4/ip_local_port_range", parseRange),
			Reserved:  fact(r, "proc/sys/net/ipv4/ip_local_reserved_ports", parsePorts),
			Nonlocal:  fact(r, "proc/sys/net/ipv4/ip_nonlocal_bind", parseBool),
			NoLoop6:   fact(r, "proc/sys/net/ipv6/conf/lo/disable_ipv6", parseBool),
			Nonlocal6: fact(r, "proc/sys/net/ipv6/ip_nonlocal_bind", parseBool),
		},
		Policy: Policy{
			LSMs:      fact(r, "sys/kernel/security/lsm", parseText),
			Label:     fact(r, "proc/self/attr/current", parseText),
			Enforcing: fact(r, "sys/fs/selinux/enforce", parseBool),
			Probes:    fact(r, "probes", ParseJSON[[]Probe]),
			AtPorts:   fact(r, "probes at ports", ParseJSON[[]PortProbe]),
			Granted:   fact(r, "capget", parseSet),
		},
		Command: Command{
			Args:      fact(r, "args", parseArgs),
			Cwd:       fact(r, "cwd", parsePlace),
			CwdNosuid: fact(r, "cwd statfs", parseNosuid),
			Package:   fact(r, "main package", parseText),
			User:      fact(r, "user", parseText),
			Groups:    fact(r, "user groups", ParseJSON[[]uint32]),
			Loader:    fact(r, "loader", ParseJSON[Loader]),
		},
	}
	f.Policy.Withheld = withheld(f.Policy.Granted, fact(r, "proc/thread-self/status", caps.ParseStatus))
	return f
}

// parseGroups reads the supplementary groups of a /proc/PID/status.
func parseGroups(b []byte) (groups []uint32, err error) {
	_, behind, ok := strings.Cut("\n"+string(b), "\nGroups:")
	line, _, whole := strings.Cut(behind, "\n")
	if !ok || !whole || strings.Contains(behind, "\nGroups:") {
		return nil, errors.New("not one line of Groups")
	}
	for word := range strings.FieldsSeq(line) {
		n, err := strconv.ParseUint(word, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("the group %q is no number", word)
		}
		groups = append(groups, uint32(n))
	}
	return groups, nil
}

// parseRange reads the two ports of ip_local_port_range.
func parseRange(b []byte) (ports [2]int, err error) {
	text, whole := strings.CutSuffix(string(b), "\n")
	first, last, isRange := strings.Cut(text, "\t")
	for i, port := range []string{first, last} {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 || !whole || !isRange {
			return ports, fmt.Errorf("%q is not two ports", b)
		}
		ports[i] = int(n)
	}
	return ports, nil
}

// parsePorts reads a list of ports and of ranges of them, "" for none.
func parsePorts(b []byte) (string, error) {
	list, whole := strings.CutSuffix(string(b), "\n")
	if whole && list == "" {
		return "", nil
	}
	for part := range strings.SplitSeq(list, ",") {
		first, last, isRange := strings.Cut(part, "-")
		_, errFirst := strconv.ParseUint(first, 10, 16)
		_, errLast := strconv.ParseUint(last, 10, 16)
		if !whole || errFirst != nil || isRange && errLast != nil {
			return "", fmt.Errorf("%q is not a list of ports", b)
		}
	}
	return list, nil
}

// parseAttributes reads "a", "i" or both; nothing for neither.
func parseAttributes(b []byte) (string, error) {
	switch s := strings.TrimSuffix(string(b), "\n"); s {
	case "", "a", "i", "ai":
		return s, nil
	default:
		return "", fmt.Errorf("%q is not of the attributes a and i", s)
	}
}

// own names the item with the status of the calling thread: what /proc says or, if that is hidden
// or not mounted, what system calls say.
func own(r Record) string {
	if r.Lacks("proc/thread-self/status") && len(r[StatusByCalls].Data) > 0 {
		return StatusByCalls
	}
	return "proc/thread-self/status"
}

// NameOfProgram names the item with the path of the running file: what /proc says or, if that is
// hidden or not mounted, what execve was called with.
func NameOfProgram(r Record) string {
	if r.Lacks("proc/self/exe") && len(r[Executed].Data) > 0 {
		return Executed
	}
	return "proc/self/exe"
}

// Executed is the item with the path that execve was called with.
const Executed = "AT_EXECFN"

// StatusByCalls is the item with those lines of the status of the calling thread that
// system calls tell too. It has no tracer.
const StatusByCalls = "status by calls"

// thread reads the state of the calling thread. Its securebits are no line of status.
func thread(r Record) Fact[caps.State] {
	f := fact(r, own(r), caps.ParseStatus)
	bits := fact(r, "prctl PR_GET_SECUREBITS", parseInt)
	if f.State == Known && bits.State == Known {
		f.Value.Securebits = caps.Securebits(bits.Value)
	} else if f.State == Known {
		f = Fact[caps.State]{Source: bits.Source, Reason: bits.Reason}
	}
	return f
}

// Where sockets were listed.
const (
	FromDiag = "sock_diag"
	FromProc = "/proc/net"
)

// sockets reads those that hold the port; their source is where they were listed.
func sockets(r Record) Fact[[]Socket] {
	f := fact(r, "sockets", ParseSockets)
	if from := fact(r, "sockets from", parseText); from.State == Known {
		f.Source = from.Value
	}
	return f
}

// allBound reports whether sockets that are only bound were listed: by sock_diag since
// Linux 6.8 (tcp_diag, TCPF_BOUND_INACTIVE), never by /proc/net.
func allBound(r Record) Fact[bool] {
	from, release := fact(r, "sockets from", parseText), fact(r, "uname", parseRelease)
	f := Fact[bool]{Source: from.Source, Reason: from.Reason + release.Reason}
	if from.State != Known || release.State != Known {
		return f
	}
	return f.Now(from.Value == FromDiag && !release.Value.Before(6, 8))
}

// withheld compares what /proc says the thread holds with what capget(2) says,
// which AppArmor lessens by what the profile does not grant (apparmor_capget).
func withheld(capget Fact[caps.Set], thread Fact[caps.State]) Fact[caps.Set] {
	f := Fact[caps.Set]{Source: capget.Source, Reason: capget.Reason}
	switch {
	case capget.State != Known:
	case thread.State != Known:
		f.Reason = thread.Reason
	default:
		f = f.Now(thread.Value.Permitted &^ capget.Value)
	}
	return f
}

// parseAtInit reads what was noted at the start: the three sets of capget(2), and
// no_new_privs.
func parseAtInit(b []byte) (caps.State, error) {
	words := strings.Fields(string(b))
	if len(words) != 4 || words[3] != "0" && words[3] != "1" {
		return caps.State{}, errors.New("not three sets and no_new_privs")
	}
	s := caps.State{NoNewPrivs: words[3] == "1"}
	for i, set := range []*caps.Set{&s.Inheritable, &s.Permitted, &s.Effective} {
		var err error
		if *set, err = parseSet([]byte(words[i])); err != nil {
			return caps.State{}, err
		}
	}
	return s, nil
}

// parseDropped returns a parser for the first or the second set of package internal/dropped.
// Older recordings have one set.
func parseDropped(which int) func([]byte) (caps.Set, error) {
	return func(b []byte) (caps.Set, error) {
		var sets [2]caps.Set
		words := strings.Fields(string(b))
		if len(words) == 0 || len(words) > len(sets) {
			return 0, errors.New("not one set or two")
		}
		for i, word := range words {
			var err error
			if sets[i], err = parseSet([]byte(word)); err != nil {
				return 0, err
			}
		}
		return sets[which], nil
	}
}

// parseSet reads a set in hexadecimal digits, as /proc/PID/status has it.
func parseSet(b []byte) (caps.Set, error) {
	var s caps.Set
	digits, _ := strings.CutSuffix(string(b), "\n")
	if len(digits) != 16 {
		return 0, errors.New("not a set of 16 digits")
	}
	n, err := strconv.ParseUint(digits, 16, 64)
	s = caps.Set(n)
	return s, err
}

// fact parses one item. ENOENT and ENODATA say that there is none, EOPNOTSUPP that there cannot
// be one. But every machine has the files in /proc: one that is missing is hidden (hidepid=,
// ProcSubset=pid), or /proc is not mounted, so the fact is unreadable.
func fact[T any](r Record, name string, parse func([]byte) (T, error)) Fact[T] {
	f := Fact[T]{Source: Source(name)}
	var data []byte
	if data, f.State, f.Reason = r.item(name, f.Source); f.State != Known {
		return f
	}
	v, err := parse(data)
	if err != nil {
		f.State, f.Reason = Unreadable, err.Error()
		return f
	}
	f.Value = v
	return f
}

// item returns the data of an item, or why there are none.
func (r Record) item(name, source string) (data []byte, s State, reason string) {
	item, ok := r[name]
	switch {
	case !ok:
		return nil, Unreadable, NotRecorded
	case strings.Contains(source, "/proc/") && item.Err == "ENOENT":
		return nil, Unreadable, item.Err
	case item.Err == "ENOENT" || item.Err == "ENODATA" || item.Err == "EOPNOTSUPP":
		return nil, Absent, item.Err
	case item.Err != "":
		return nil, Unreadable, item.Err
	}
	return item.Data, Known, ""
}

// Source is how reports name an item: a path, or what was called.
func Source(name string) string {
	for _, root := range []string{"proc/", "sys/", "run/", ".dockerenv"} {
		if strings.HasPrefix(name, root) {
			return "/" + name
		}
	}
	switch name {
	case StatusByCalls:
		return "capget, prctl"
	case Executed:
		return "getauxval AT_EXECFN"
	case "exe xattr":
		return "getxattr /proc/self/exe"
	case "exe stat":
		return "stat /proc/self/exe"
	case "exe statfs":
		return "statfs /proc/self/exe"
	case "ancestor status", "parent status":
		return "/proc/PPID/status"
	case "operator":
		return "/proc/PPID/cmdline"
	case "tracer status":
		return "/proc/TRACERPID/status"
	case "folders shared":
		return "kcmp KCMP_FS"
	case "at init":
		return "capget, at the start"
	case "exe changed since":
		return "stat /proc/self/exe, /proc/self/stat"
	case "probes":
		return "bind to port 0"
	case "no_file_caps":
		return "/proc/cmdline"
	case "network apart":
		return "/proc/1/net/dev"
	case "network namespace name":
		return "/run/netns"
	case "path xattr":
		return "getxattr"
	case "path stat":
		return "stat"
	case "path statfs":
		return "statfs"
	case "path danger":
		return "the file and the folders above it"
	case "path outside", "read-only outside", "idmapped outside":
		return "/proc/1/mountinfo"
	case "threads":
		return "/proc/self/task"
	case "sockets":
		return "sock_diag"
	case "addresses", "tentative", "special addresses":
		return "netlink"
	}
	return name
}

func image(r Record, which string) Image {
	return Image{
		Caps:   fact(r, which+" xattr", parseXattr),
		Stat:   fact(r, which+" stat", ParseStat),
		Nosuid: fact(r, which+" statfs", parseNosuid),
		Frozen: fact(r, which+" statfs", parseFlag(0x1)),
	}
}

func parseText(b []byte) (string, error) {
	s := strings.TrimRight(string(b), "\n\x00")
	if s == "" {
		return "", errors.New("empty")
	}
	return s, nil
}

// ParseJSON reads one JSON value and nothing after it. null is no value.
func ParseJSON[T any](b []byte) (T, error) {
	var v T
	err := decode(b, &v)
	return v, err
}

func decode(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("more than one JSON value")
	}
	if string(bytes.TrimSpace(b)) == "null" {
		return errors.New("null is no value")
	}
	return nil
}

// ParseStat reads the JSON form of a Stat.
func ParseStat(b []byte) (Stat, error) {
	s, err := ParseJSON[Stat](b)
	if err == nil && s.Mode&0o170000 == 0 {
		err = fmt.Errorf("mode %#o has no file type", s.Mode)
	}
	return s, err
}

// ParseSockets reads the JSON form of sockets.
func ParseSockets(b []byte) ([]Socket, error) {
	all, err := ParseJSON[[]Socket](b)
	for _, s := range all {
		if err == nil && (s.Network == "" || !s.Addr.IsValid()) {
			err = fmt.Errorf("a socket of network %q at %v", s.Network, s.Addr)
		}
	}
	return all, err
}

// ParseAddresses reads the JSON form of addresses.
func ParseAddresses(b []byte) ([]netip.Addr, error) {
	all, err := ParseJSON[[]netip.Addr](b)
	if err == nil && slices.Contains(all, netip.Addr{}) {
		err = errors.New("an empty address")
	}
	return all, err
}

// parseArgs reads arguments as /proc/PID/cmdline has them: each with a zero
// byte after it, which no argument can hold.
func parseArgs(b []byte) ([]string, error) {
	s, whole := strings.CutSuffix(string(b), "\x00")
	if !whole {
		return nil, errors.New("args: cut short")
	}
	return strings.Split(s, "\x00"), nil
}

// parseInt reads a number as the kernel prints one that is never negative.
func parseInt(b []byte) (int, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 31)
	return int(n), err
}

func parseBool(b []byte) (bool, error) {
	n, err := parseInt(b)
	return n != 0, err
}

// parseLine reads the number of a sysctl, which ends its line: one that is cut
// short is another number.
func parseLine(b []byte) (int, error) {
	n, err := parseInt(b)
	if err == nil && !bytes.HasSuffix(b, []byte("\n")) {
		err = errors.New("cut short")
	}
	return n, err
}

func parsePort(b []byte) (int, error) {
	n, err := parseLine(b)
	if err == nil && n > 65536 {
		err = fmt.Errorf("%d is not a port", n)
	}
	return n, err
}

func parseCap(b []byte) (caps.Cap, error) {
	n, err := parseLine(b)
	if err == nil && n > 63 {
		err = fmt.Errorf("%d is not a capability", n)
	}
	return caps.Cap(n), err
}

// parseRelease reads the two numbers that a kernel's release begins with, "6.12.0-rc1".
func parseRelease(b []byte) (Release, error) {
	first, rest, _ := strings.Cut(string(b), ".")
	digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	major, err := strconv.ParseUint(first, 10, 16)
	minor, errMinor := strconv.ParseUint(rest[:digits], 10, 16)
	if err = errors.Join(err, errMinor); err != nil {
		return Release{}, err
	}
	return Release{Major: int(major), Minor: int(minor)}, nil
}

// ParseWSL knows the kernel of the Windows Subsystem for Linux by its name, as
// systemd-detect-virt does.
func ParseWSL(b []byte) (bool, error) {
	_, err := parseRelease(b)
	return strings.Contains(strings.ToLower(string(b)), "microsoft"), err
}

func parseXattr(b []byte) (caps.File, error) {
	raw, err := hex.DecodeString(strings.TrimSpace(string(b)))
	if err != nil {
		return caps.File{}, err
	}
	return caps.DecodeFile(raw)
}

var parseNosuid = parseFlag(0x2)

// parseFlag looks for a flag of statfs(2): ST_RDONLY is 1, ST_NOSUID 2.
func parseFlag(flag uint64) func([]byte) (bool, error) {
	return func(b []byte) (bool, error) {
		flags, err := strconv.ParseUint(strings.TrimSpace(string(b)), 0, 64)
		return flags&flag != 0, err
	}
}

// DeletedMark is what the kernel adds to the name of a removed file.
const DeletedMark = " (deleted)"

func parseDeleted(b []byte) (bool, error) {
	_, err := ParsePath(b)
	return strings.HasSuffix(string(b), DeletedMark), err
}

// ParsePath reads the name of the running file, and leaves out that it was removed.
func ParsePath(b []byte) (string, error) {
	s := strings.TrimSuffix(string(b), DeletedMark)
	if !path.IsAbs(s) {
		return "", fmt.Errorf("%q is not an absolute path", s)
	}
	return s, nil
}

// parsePlace reads an absolute path, byte for byte.
func parsePlace(b []byte) (string, error) {
	s := string(b)
	if !path.IsAbs(s) {
		return "", fmt.Errorf("%q is not an absolute path", s)
	}
	return s, nil
}

func parseOutside(b []byte) (string, error) {
	if string(b) == SameOutside {
		return "", nil
	}
	return parsePlace(b)
}

// SameOutside stands for a path that is the same outside.
const SameOutside = "same\n"

// parseDanger reads a set of reasons as its number.
func parseDanger(b []byte) (caps.Danger, error) {
	n, err := strconv.ParseUint(strings.TrimSuffix(string(b), "\n"), 10, 8)
	return caps.Danger(n), err
}

func parseTruth(b []byte) (bool, error) {
	switch string(b) {
	case "true\n":
		return true, nil
	case "false\n":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither true nor false", b)
}

// parseNS reads the name of a namespace, "user:[4026531837]" (namespaces(7)).
func parseNS(kind string) func([]byte) (string, error) {
	return func(b []byte) (string, error) {
		s := strings.TrimSuffix(string(b), "\n")
		inode, ok := strings.CutPrefix(s, kind+":[")
		inode, closed := strings.CutSuffix(inode, "]")
		if _, err := strconv.ParseUint(inode, 10, 64); !ok || !closed || err != nil {
			return "", fmt.Errorf("%q is no %s namespace", s, kind)
		}
		return s, nil
	}
}

// field returns the value of a line of status; it must be there once.
func field(status []byte, name string) (value string, err error) {
	found := 0
	for line := range bytes.Lines(status) {
		if n, v, ok := bytes.Cut(line, []byte{':'}); ok && string(n) == name && bytes.HasSuffix(line, []byte{'\n'}) {
			value = string(bytes.TrimSpace(v))
			found++
		}
	}
	if found != 1 {
		return "", fmt.Errorf("status: %s: %d lines, not 1", name, found)
	}
	return value, nil
}

// StatusInt returns the reader of a line of status that is a number of at most that.
func StatusInt(name string, most int) func([]byte) (int, error) {
	return func(b []byte) (int, error) {
		v, err := field(b, name)
		if err != nil {
			return 0, err
		}
		n, err := parseInt([]byte(v))
		if err == nil && n > most {
			err = fmt.Errorf("%d is above %d", n, most)
		}
		if err != nil {
			return 0, fmt.Errorf("status: %s: %w", name, err)
		}
		return n, nil
	}
}

// ParseIDs reads the lines Uid and Gid of status.
func ParseIDs(b []byte) (IDs, error) {
	var out [2][2]uint32
	for i, name := range []string{"Uid", "Gid"} {
		v, err := field(b, name)
		if err != nil {
			return IDs{}, err
		}
		ids := strings.Fields(v) // real, effective, saved, filesystem
		if len(ids) != 4 {
			return IDs{}, fmt.Errorf("status: %s: %q is not four ids", name, v)
		}
		for j := range out[i] {
			n, err := strconv.ParseUint(ids[j], 10, 32)
			if err != nil {
				return IDs{}, fmt.Errorf("status: %s: %w", name, err)
			}
			out[i][j] = uint32(n)
		}
	}
	return IDs{UID: out[0][0], EUID: out[0][1], GID: out[1][0], EGID: out[1][1]}, nil
}

func parseAncestor(b []byte) (Ancestor, error) {
	s, err := caps.ParseStatus(b)
	if err != nil {
		return Ancestor{}, err
	}
	ids, err := ParseIDs(b)
	if err != nil {
		return Ancestor{}, err
	}
	parent, err := StatusInt("PPid", math.MaxInt32)(b)
	return Ancestor{State: s, IDs: ids, Init: parent == 0}, err
}

// parseThreads reads the lines of FormatThreads, each whole and once.
func parseThreads(b []byte) (map[int]caps.State, error) {
	all := map[int]caps.State{}
	for line := range strings.Lines(string(b)) {
		tid, s := parseThread(line)
		if _, twice := all[tid]; twice || tid <= 0 || line != formatThread(tid, s) {
			return nil, fmt.Errorf("threads: %q is not the line of one more thread", line)
		}
		all[tid] = s
	}
	if len(all) == 0 {
		return nil, errors.New("threads: none")
	}
	return all, nil
}

// parseThread reads a line of FormatThreads. Of another line it makes what formatThread
// writes otherwise.
func parseThread(line string) (tid int, s caps.State) {
	words := strings.Split(strings.TrimSuffix(line, "\n"), " ")
	sets := []*caps.Set{&s.Inheritable, &s.Permitted, &s.Effective, &s.Bounding, &s.Ambient}
	if len(words) != 1+len(sets)+1 {
		return 0, s
	}
	tid, _ = strconv.Atoi(words[0])
	for i, set := range sets {
		n, _ := strconv.ParseUint(words[1+i], 16, 64)
		*set = caps.Set(n)
	}
	s.NoNewPrivs = words[1+len(sets)] == "true"
	return tid, s
}

// FormatThreads is the inverse of parseThreads.
func FormatThreads(all map[int]caps.State) []byte {
	var b []byte
	for _, tid := range slices.Sorted(maps.Keys(all)) {
		b = append(b, formatThread(tid, all[tid])...)
	}
	return b
}

// InitialUserNS is the initial user namespace: its inode is PROC_USER_INIT_INO
// of <linux/proc_ns.h>.
const InitialUserNS = "user:[4026531837]"

// WholeMap is the uid_map of the initial user namespace: every id is itself.
const WholeMap = "0 0 4294967295"

func formatThread(tid int, s caps.State) string {
	b := strconv.AppendInt(make([]byte, 0, 128), int64(tid), 10)
	for _, set := range [...]caps.Set{s.Inheritable, s.Permitted, s.Effective, s.Bounding, s.Ambient} {
		b = set.AppendHex(append(b, ' '))
	}
	return string(append(strconv.AppendBool(append(b, ' '), s.NoNewPrivs), '\n'))
}

// IDMap is the map that Net.UIDMap or Net.GIDMap has the rows of; nil where there is none.
func IDMap(rows string) caps.IDMap {
	m, _ := caps.ParseIDMap([]byte(strings.ReplaceAll(rows, ", ", "\n") + "\n"))
	return m
}

// parseUIDMap reads the rows of user_namespaces(7), three numbers each, and
// joins them by commas. A namespace that nobody has mapped yet has none.
func parseUIDMap(b []byte) (string, error) {
	var rows []string
	for line := range strings.Lines(string(b)) {
		ids := strings.Fields(line)
		for _, id := range ids {
			if _, err := strconv.ParseUint(id, 10, 32); err != nil {
				return "", fmt.Errorf("uid_map: %w", err)
			}
		}
		if len(ids) != 3 || !strings.HasSuffix(line, "\n") {
			return "", fmt.Errorf("uid_map: %q is not three numbers", line)
		}
		rows = append(rows, strings.Join(ids, " "))
	}
	return strings.Join(rows, ", "), nil
}

// netOwner reads the answer of ioctl_ns(2) NS_GET_USERNS on our network
// namespace. EPERM is an answer: the owner is outside our user namespace
// (ns_get_owner).
func netOwner(r Record) Fact[Owner] {
	const name = "ioctl NS_GET_USERNS"
	if r[name].Err == "EPERM" {
		return Fact[Owner]{Value: OwnerOutside, State: Known, Source: name + ": EPERM"}
	}
	return fact(r, name, func(b []byte) (Owner, error) {
		owner, err := parseNS("user")(b)
		if err != nil {
			return 0, err
		}
		self := fact(r, "proc/self/ns/user", parseNS("user"))
		switch {
		case self.State != Known:
			return 0, fmt.Errorf("%s: %s", self.Source, self.Reason)
		case owner == self.Value:
			return OwnerHere, nil
		default:
			return OwnerBelow, nil
		}
	})
}
