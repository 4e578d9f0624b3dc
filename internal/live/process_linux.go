package live

import (
	"debug/buildinfo"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/thread"
	"golang.org/x/sys/unix"
)

// notOutside is why a fact cannot be read: only the process itself can ask for it.
const notOutside = "only the process itself can tell"

// Process reads the evidence about another process, in that process's network namespace, as
// far as this process may. Root may read everything that can be seen from outside. What only
// the other process could tell is unreadable in the record; its securebits are assumed to be
// none. The operator is whoever started this process.
//
// It is an error if there is no such process, or if it ended while it was read.
func Process(pid int, ports ...int) (facts.Record, error) {
	p := subject{newReading(), pid, strconv.Itoa(pid)}
	before, err := readPath(p.path("stat"))
	if pid <= 0 || err != nil {
		return nil, fmt.Errorf("no process has the id %d", pid)
	}
	if _, err := readLink(p.path("exe")); errors.Is(err, unix.ENOENT) {
		return nil, fmt.Errorf("process %d has ended, or is a thread of the kernel", pid) // it runs no file
	}
	p.state()
	p.program()
	p.surroundings()
	thread.Run(func() any { // on a thread of its own, since it enters the other network namespace
		p.network(ports)
		return nil
	})
	after, err := readPath(p.path("stat"))
	one, errOne := startTicks(before)
	other, errOther := startTicks(after)
	if err := errors.Join(err, errOne, errOther); err != nil || one != other {
		return nil, fmt.Errorf("process %d ended while it was read", pid)
	}
	return p.Record, nil
}

// A subject is a process that is read from outside.
type subject struct {
	reading
	pid  int
	name string // in /proc
}

func (p subject) path(name string) string { return "/proc/" + p.name + "/" + name }

// copy reads one of the files of the process in /proc into an item.
func (p subject) copy(item, name string) {
	p.add(item, func() ([]byte, error) { return readPath(p.path(name)) })
}

// state reads what the process is and holds.
func (p subject) state() {
	p.copy("proc/thread-self/status", "status")
	p.Record["prctl PR_GET_SECUREBITS"] = facts.Item{Data: []byte("0\n")}
	for _, name := range []string{"prctl PR_GET_DUMPABLE", "at init", "caps/drop", "probes"} {
		p.Record[name] = facts.Item{Err: notOutside}
	}
	p.add("AT_SECURE", p.secure)
	p.add("capget", func() ([]byte, error) { return capgetOf(p.pid) })
	p.add("threads", func() ([]byte, error) {
		all, err := caps.Threads(p.pid)
		return facts.FormatThreads(all), err
	})
	ids, err := facts.ParseIDs(p.Record["proc/thread-self/status"].Data)
	p.add("user", func() ([]byte, error) {
		if err != nil {
			return nil, err
		}
		u, err := user.LookupId(strconv.Itoa(int(ids.EUID)))
		if err != nil {
			return nil, err
		}
		return []byte(u.Username + "\n"), nil
	})
	p.add("ancestor status", func() ([]byte, error) {
		parent, errParent := p.parent()
		if err := errors.Join(err, errParent); err != nil {
			return nil, err
		}
		return p.ancestor(parent, ids.UID)
	})
	p.add("parent status", func() ([]byte, error) { return p.statusNamed("PPid") })
	p.add("tracer status", func() ([]byte, error) { return p.statusNamed("TracerPid") })
	p.add("folders shared", func() ([]byte, error) { return sharesFoldersOf(p.pid) })
	p.add("operator", func() ([]byte, error) { return p.operatorAt(os.Getppid(), p.name) })
	p.add("args", func() ([]byte, error) { return readPath(p.path("cmdline")) })
	p.copy("proc/self/attr/current", "attr/current")
	p.copy("proc/self/cgroup", "cgroup")
	p.copy("proc/self/uid_map", "uid_map")
	p.copy("proc/self/gid_map", "gid_map")
	for _, kind := range []string{"user", "net", "pid", "uts"} {
		p.add("proc/self/ns/"+kind, func() ([]byte, error) { return readLink(p.path("ns/" + kind)) })
	}
	p.add("environ", p.environ)
}

// secure reads AT_SECURE from the auxiliary vector, which is pairs of words.
func (p subject) secure() ([]byte, error) {
	b, err := readPath(p.path("auxv"))
	if err != nil {
		return nil, err
	}
	const word = strconv.IntSize / 8
	for ; len(b) >= 2*word; b = b[2*word:] {
		key, value := nativeWord(b), nativeWord(b[word:])
		if key == atSecure && value <= 1 {
			return fmt.Appendln(nil, value), nil
		}
	}
	return nil, errors.New("auxv has no AT_SECURE")
}

// nativeWord reads a word in this machine's byte order.
func nativeWord(b []byte) uint64 {
	if strconv.IntSize == 32 {
		return uint64(binary.NativeEndian.Uint32(b))
	}
	return binary.NativeEndian.Uint64(b)
}

// environ looks for the marks of launchers in the environment that the process was given.
func (p subject) environ() ([]byte, error) {
	all, err := readPath(p.path("environ"))
	if err != nil {
		return nil, err
	}
	return marks(func(name string) string {
		for v := range strings.SplitSeq(string(all), "\x00") {
			if value, ok := strings.CutPrefix(v, name+"="); ok {
				return value
			}
		}
		return ""
	}), nil
}

// program reads the file that the process runs, and what is at its path now, both as the
// process has them.
func (p subject) program() {
	exe := p.path("exe")
	p.add("proc/self/exe", func() ([]byte, error) { return readLink(exe) })
	p.image("exe", exe)
	p.add("exe changed since", func() ([]byte, error) { return p.changedSince(p.name) })
	p.add("main package", func() ([]byte, error) {
		info, err := buildinfo.ReadFile(exe)
		if err != nil {
			return nil, unix.ENODATA
		}
		return []byte(info.Path + "\n"), nil
	})
	p.add("cwd", func() ([]byte, error) { return readLink(p.path("cwd")) })
	p.add("cwd statfs", func() ([]byte, error) { return statfs(p.path("cwd")) })
	id, _, errID := mountID(exe)
	text, err := readPath(p.path("mountinfo"))
	mounts := facts.ParseMounts(text)
	if err = errors.Join(errID, err); err != nil {
		err = errors.New(Reason(err)) // and not ENOENT, which says that it is of no mount here
	}
	p.add("mount point", func() ([]byte, error) {
		if err != nil {
			return nil, err
		}
		return attached(mounts, id)
	})
	mount, _ := mounts.ByID(id)
	p.add("idmapped outside", func() ([]byte, error) { return fmt.Appendln(nil, mount.Idmapped), err })
	path, err := facts.ParsePath(p.Record["proc/self/exe"].Data)
	if err != nil {
		return
	}
	p.image("path", p.path("root")+path)
	p.danger(p.path("root") + path)
	if !p.sameFiles() {
		p.Record["path outside"] = facts.Item{Err: "ENODATA"}
		p.Record["read-only outside"] = facts.Item{Err: "ENODATA"}
		return
	}
	p.moved(path)
	p.Record["path outside"] = facts.Item{Data: []byte(facts.SameOutside)}
	p.add("read-only outside", func() ([]byte, error) { return fmt.Appendln(nil, mount.ReadOnly), nil })
}

// sameFiles reports whether the process has the files that this one has: its mount
// namespace and its root.
func (p subject) sameFiles() bool {
	ours, err := readLink("/proc/thread-self/ns/mnt")
	its, errIts := readLink(p.path("ns/mnt"))
	root, errRoot := os.Stat("/")
	there, errThere := os.Stat(p.path("root") + "/.")
	return errors.Join(err, errIts, errRoot, errThere) == nil && string(ours) == string(its) && os.SameFile(root, there)
}

// surroundings reads the kernel, and what shows the kind of machine that the process is on.
func (p subject) surroundings() {
	for _, name := range []string{"proc/sys/kernel/cap_last_cap", "sys/kernel/security/lsm", "sys/fs/selinux/enforce"} {
		p.add(name, func() ([]byte, error) { return readPath("/" + name) })
	}
	for _, name := range []string{"run/.containerenv", ".dockerenv", "run/host/container-manager", "run/systemd/system"} {
		p.add(name, func() ([]byte, error) { return readPath(p.path("root/" + name)) })
	}
	p.add("proc/1/status", func() ([]byte, error) {
		ours, err := readLink("/proc/thread-self/ns/pid")
		if its := p.Record["proc/self/ns/pid"]; err == nil && string(its.Data) != string(ours) {
			return readPath(p.path("root/proc/1/status"))
		}
		return readPath("/proc/1/status")
	})
	p.kernel()
	p.add("run/systemd/transient", func() ([]byte, error) { return transient(p.Record) }) // it asks for the root, and for systemd
}

// network reads the network namespace of the process, which the calling thread enters.
func (p subject) network(ports []int) {
	p.add("network apart", func() ([]byte, error) { return netApart(p.name) })
	p.add("network namespace name", func() ([]byte, error) { return netName(p.name) })
	p.add("ioctl NS_GET_USERNS", p.netOwner)
	sysctls := append([]string{"proc/sys/net/ipv4/ip_unprivileged_port_start"}, ofAddresses...)
	if err := p.enterNetwork(); err != nil {
		for _, name := range append(sysctls, "sockets", "sockets from", "addresses", "tentative") {
			p.Record[name] = facts.Item{Err: "its network namespace cannot be entered: " + Reason(err)}
		}
		return
	}
	for _, name := range sysctls {
		p.add(name, func() ([]byte, error) { return readPath("/" + name) })
	}
	if len(ports) > 0 && ports[0] > 0 {
		p.add("sockets", func() ([]byte, error) {
			all, source, err := sockets(ports, []string{"tcp", "udp"})
			p.Record["sockets from"] = facts.Item{Data: []byte(source + "\n")}
			for i, s := range all {
				all[i].Self = s.PID == p.pid || slices.Contains(s.Also, p.pid)
			}
			if err != nil {
				return nil, err
			}
			return line(all)
		})
	}
	p.addresses()
}

// enterNetwork moves the calling thread into the network namespace of the process, unless
// it is there.
func (p subject) enterNetwork() error {
	if same, err := sameNetwork("thread-self", p.name); err == nil && same {
		return nil
	}
	fd, err := unix.Open(p.path("ns/net"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Setns(fd, unix.CLONE_NEWNET)
}

// netOwner names the user namespace that owns the network namespace of the process. If that is
// an ancestor of the process's own user namespace it returns EPERM, as the kernel would
// answer to the process itself (ns_get_owner).
func (p subject) netOwner() ([]byte, error) {
	owner, err := related(p.path("ns/net"), unix.NS_GET_USERNS)
	if err != nil {
		if errors.Is(err, unix.EPERM) && !p.sameUsers() {
			return nil, errors.New("the owner is outside the user namespace of the reader")
		}
		return nil, err
	}
	defer unix.Close(owner)
	wanted, err := nameOf(owner)
	if err != nil || string(wanted) == strings.TrimSpace(string(p.Record["proc/self/ns/user"].Data))+"\n" {
		return wanted, err
	}
	at := p.path("ns/user")
	for {
		parent, err := related(at, unix.NS_GET_PARENT)
		if err != nil {
			if errors.Is(err, unix.EPERM) { // the root of what is seen here
				return wanted, nil
			}
			return nil, err
		}
		defer unix.Close(parent)
		name, err := nameOf(parent)
		if err != nil {
			return nil, err
		}
		if string(name) == string(wanted) {
			return nil, unix.EPERM
		}
		at = fmt.Sprintf("/proc/thread-self/fd/%d", parent)
	}
}

// sameUsers reports whether the process is in the user namespace of this one.
func (p subject) sameUsers() bool {
	ours, err := readLink("/proc/thread-self/ns/user")
	return err == nil && string(ours) == string(p.Record["proc/self/ns/user"].Data)
}

// related opens the namespace that a request of ioctl_ns(2) finds for the one at path.
func related(path string, request uint) (int, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("no answer: open: %s", Reason(err))
	}
	defer unix.Close(fd)
	return unix.IoctlRetInt(fd, request)
}

// nameOf names a user namespace in the form of /proc/PID/ns/user.
func nameOf(fd int) ([]byte, error) {
	var st unix.Stat_t
	err := unix.Fstat(fd, &st)
	return fmt.Appendf(nil, "user:[%d]\n", st.Ino), err
}
