package live

import (
	"debug/buildinfo"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
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
	p := newSubject(pid, nil)
	before, err := readPath(p.path("stat"))
	if pid <= 0 || err != nil {
		return nil, fmt.Errorf("no process has the id %d", pid)
	}
	if _, err := readLink(p.path("exe")); errors.Is(err, unix.ENOENT) {
		return nil, fmt.Errorf("process %d has ended, or is a thread of the kernel", pid) // it runs no file
	}
	p.read(ports)
	after, err := readPath(p.path("stat"))
	one, errOne := startTicks(before)
	other, errOther := startTicks(after)
	if err := errors.Join(err, errOne, errOther); err != nil || one != other {
		return nil, fmt.Errorf("process %d ended while it was read", pid)
	}
	return p.Record, nil
}

// A subject is a process that is read from outside. Names are of processes in /proc.
type subject struct {
	reading
	pid  int
	name string
	gone bool // it cannot be read any more, and name is of no process

	started int64 // when it did, if it is gone, in ticks since the boot

	asItself bool // the operator is whoever started the process, as for the process itself

	exe       string                 // a path to the file that it runs; "" for none
	top       string                 // a path to its root; "" for none
	mountinfo func() ([]byte, error) // reads its mountinfo
	mounted   func() ([]byte, error) // reads the link of its mount namespace
	network   string                 // a process in its network namespace; "" for none
	inside    *os.File               // that namespace; nil: it is opened by the process
	beside    string                 // a process in all of its namespaces; "" for none
}

func newSubject(pid int, known facts.Record) subject {
	p := subject{reading: newReading(), pid: pid, name: strconv.Itoa(pid)}
	p.known = known
	p.exe = p.path("exe")
	p.network, p.beside = p.name, p.name
	p.seenBy(p.name)
	return p
}

// seenBy has the files read that a process sees.
func (p *subject) seenBy(process string) {
	p.top = "/proc/" + process + "/root"
	p.mountinfo = func() ([]byte, error) { return readPath("/proc/" + process + "/mountinfo") }
	p.mounted = func() ([]byte, error) { return readLink("/proc/" + process + "/ns/mnt") }
}

// read reads all that is not known, and looks for sockets on the ports.
func (p subject) read(ports []int) {
	for _, part := range p.parts(ports) {
		part()
	}
}

// parts returns what reads the process, part by part.
func (p subject) parts(ports []int) []func() {
	return []func(){p.state, p.program, p.surroundings, func() {
		thread.Run(func() any { // on a thread of its own, since it enters the other network namespace
			p.net(ports)
			return nil
		})
	}}
}

func (p subject) path(name string) string { return "/proc/" + p.name + "/" + name }

// root returns the path to a file in the root of the process.
func (p subject) root(path string) string { return p.top + "/" + path }

// its reads an item that only the files of the process in /proc show.
func (p subject) its(item string, read func() ([]byte, error)) { p.through(!p.gone, item, read) }

// through reads an item if there is a process that shows it.
func (p subject) through(shown bool, item string, read func() ([]byte, error)) {
	if !shown {
		read = func() ([]byte, error) { return nil, errors.New(Ended) }
	}
	p.add(item, read)
}

// copy reads one of the files of the process in /proc into an item.
func (p subject) copy(item, name string) {
	p.its(item, func() ([]byte, error) { return readPath(p.path(name)) })
}

// state reads what the process is and holds.
func (p subject) state() {
	p.copy("proc/thread-self/status", "status")
	p.add("prctl PR_GET_SECUREBITS", func() ([]byte, error) { return []byte("0\n"), nil })
	for _, name := range []string{"at init", "caps/drop", "probes", "probes at ports"} {
		p.add(name, func() ([]byte, error) { return nil, errors.New(notOutside) })
	}
	p.its("AT_SECURE", p.secure)
	p.its("prctl PR_GET_DUMPABLE", p.dumpable)
	p.its("capget", func() ([]byte, error) { return capgetOf(p.pid) })
	p.its("threads", func() ([]byte, error) {
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
	p.its("folders shared", func() ([]byte, error) { return sharesFoldersOf(p.pid) })
	switch {
	case p.beside == "":
		p.through(false, "operator", nil)
	case p.asItself:
		p.ancestors(p.lineage(pidDepth(p.Record["proc/thread-self/status"].Data)), p.beside)
	default:
		p.add("operator", func() ([]byte, error) { return p.operatorAt(os.Getppid(), p.beside) })
	}
	p.its("args", func() ([]byte, error) { return readPath(p.path("cmdline")) })
	p.copy("proc/self/attr/current", "attr/current")
	p.copy("proc/self/cgroup", "cgroup")
	p.copy("proc/self/uid_map", "uid_map")
	p.copy("proc/self/gid_map", "gid_map")
	for _, kind := range []string{"user", "net", "pid", "uts"} {
		p.its("proc/self/ns/"+kind, func() ([]byte, error) { return readLink(p.path("ns/" + kind)) })
	}
	p.its("environ", p.environ)
}

// dumpable tells whether the process is dumpable by who owns its files in /proc: if it is not, that
// is root (task_dump_owner). It cannot be told of a process of root.
func (p subject) dumpable() ([]byte, error) {
	ids, err := facts.ParseIDs(p.Record["proc/thread-self/status"].Data)
	if err != nil {
		return nil, err
	}
	var st unix.Stat_t
	if err := unix.Stat(p.path("status"), &st); err != nil {
		return nil, err
	}
	switch {
	case ids.EUID != 0 && st.Uid == ids.EUID:
		return []byte("1\n"), nil
	case ids.EUID != 0 && st.Uid == 0:
		return []byte("0\n"), nil
	}
	return nil, errors.New(notOutside)
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
	return MarksIn(all), nil
}

// MarksIn returns the marks of launchers in an environment as execve(2) was given it.
func MarksIn(all []byte) []byte {
	return marks(func(name string) string {
		for v := range strings.SplitSeq(string(all), "\x00") {
			if value, ok := strings.CutPrefix(v, name+"="); ok {
				return value
			}
		}
		return ""
	})
}

// program reads the file that the process runs, and what is at its path now, both as the
// process has them.
func (p subject) program() {
	p.its("proc/self/exe", func() ([]byte, error) { return readLink(p.exe) })
	p.through(p.exe != "", "exe changed since", func() ([]byte, error) {
		if p.gone {
			return changedAfter(p.started, p.exe)
		}
		return p.changedSince(p.name)
	})
	p.its("cwd", func() ([]byte, error) { return readLink(p.path("cwd")) })
	p.its("cwd statfs", func() ([]byte, error) { return statfs(p.path("cwd")) })
	if p.exe == "" {
		for _, name := range ofFile {
			p.its(name, nil)
		}
		return
	}
	p.image("exe", p.exe)
	p.add("main package", func() ([]byte, error) {
		info, err := buildinfo.ReadFile(p.exe)
		if err != nil {
			return nil, unix.ENODATA
		}
		return []byte(info.Path + "\n"), nil
	})
	path, errPath := facts.ParsePath(p.Record["proc/self/exe"].Data)
	if errPath == nil {
		p.image("path", p.root(path))
		p.danger(p.root(path))
		p.owners(p.root(""), path)
	}
	if p.asItself {
		if errPath == nil {
			p.movable(path)
			p.mountsOf(path)
		}
		return
	}
	id, _, errID := mountID(p.exe)
	text, err := p.mountinfo()
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
	if errPath != nil {
		return
	}
	if !p.sameFiles() {
		p.Record["path outside"] = facts.Item{Err: "ENODATA"}
		p.Record["read-only outside"] = facts.Item{Err: "ENODATA"}
		return
	}
	p.moved(path)
	p.Record["path outside"] = facts.Item{Data: []byte(facts.SameOutside)}
	p.add("read-only outside", func() ([]byte, error) { return fmt.Appendln(nil, mount.ReadOnly), nil })
}

// movable reads where the file could be moved to, as the process sees it.
func (p subject) movable(path string) {
	p.add("moved stat", func() ([]byte, error) {
		return stat(p.root(filepath.Join(facts.MovedDir, filepath.Base(path))))
	})
	p.add("moved statfs", func() ([]byte, error) { return statfs(p.root(facts.MovedDir)) })
}

// mountsOf reads where the file lies, for the process and for its operator.
func (p subject) mountsOf(path string) {
	p.mounts(view{
		open: p.exe, path: path, root: p.root("."), byUnit: facts.ByUnit(p.Record),
		mounts: func() (facts.Mounts, error) {
			text, err := p.mountinfo()
			if err != nil {
				return nil, errors.New(Reason(err)) // and not ENOENT, as ownMounts
			}
			return facts.ParseMounts(text), nil
		},
	})
}

// ofFile are the items that are read of the file that a process runs.
var ofFile = []string{
	"exe xattr", "exe stat", "exe statfs", "main package", "mount point", "idmapped outside",
	"path xattr", "path stat", "path statfs", "path danger", "path owners", "path outside", "read-only outside",
}

// sameFiles reports whether the process has the files that this one has: its mount
// namespace and its root.
func (p subject) sameFiles() bool {
	ours, err := readLink("/proc/thread-self/ns/mnt")
	its, errIts := p.mounted()
	root, errRoot := os.Stat("/")
	there, errThere := os.Stat(p.root("."))
	return errors.Join(err, errIts, errRoot, errThere) == nil && string(ours) == string(its) && os.SameFile(root, there)
}

// surroundings reads the kernel, and what shows the kind of machine that the process is on.
func (p subject) surroundings() {
	for _, name := range []string{"proc/sys/kernel/cap_last_cap", "sys/kernel/security/lsm", "sys/fs/selinux/enforce"} {
		p.add(name, func() ([]byte, error) { return readPath("/" + name) })
	}
	for _, name := range []string{"run/.containerenv", ".dockerenv", "run/host/container-manager", "run/systemd/system"} {
		p.through(p.top != "", name, func() ([]byte, error) { return readPath(p.root(name)) })
	}
	p.add("proc/1/status", func() ([]byte, error) {
		ours, err := readLink("/proc/thread-self/ns/pid")
		if its := p.Record["proc/self/ns/pid"]; err == nil && string(its.Data) != string(ours) {
			if p.top == "" {
				return nil, errors.New(Ended)
			}
			return readPath(p.root("proc/1/status"))
		}
		return readPath("/proc/1/status")
	})
	p.kernel()
	p.add("run/systemd/transient", func() ([]byte, error) { return transient(p.Record) }) // it asks for the root, and for systemd
}

// net reads the network namespace of the process, which the calling thread enters.
func (p subject) net(ports []int) {
	if p.inside != nil && unix.Setns(int(p.inside.Fd()), unix.CLONE_NEWNET) == nil {
		p.network = "thread-self"
	}
	p.through(p.network != "", "network apart", func() ([]byte, error) { return netApart(p.network) })
	p.through(p.network != "", "network namespace name", func() ([]byte, error) { return netName(p.network) })
	p.its("ioctl NS_GET_USERNS", p.netOwner)
	sysctls := append([]string{"proc/sys/net/ipv4/ip_unprivileged_port_start"}, ofAddresses...)
	if err := p.enterNetwork(); err != nil {
		err = errors.New("its network namespace cannot be entered: " + Reason(err))
		for _, name := range append(sysctls, "sockets", "sockets from", "addresses", "tentative", "special addresses") {
			p.add(name, func() ([]byte, error) { return nil, err })
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
	if p.network == "" {
		return errors.New("no process is left in it")
	}
	if same, err := sameNetwork("thread-self", p.network); err == nil && same {
		return nil
	}
	fd, err := unix.Open("/proc/"+p.network+"/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
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
