package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/machine"
)

// A reader remembers what is the same for many processes.
type reader struct {
	tables map[string]machine.Fact[map[uint64]caps.Listen] // by network namespace
	starts map[string]machine.Fact[int]                    // likewise
}

// limit bounds what is read of one file, in bytes.
const limit = 64 << 20

// tries is how often a process is read that executes programs meanwhile.
const tries = 5

func readAll() iter.Seq2[Process, error] {
	return func(yield func(Process, error) bool) {
		if err := hidden(); err != nil && !yield(Process{}, err) {
			return
		}
		dir, err := os.Open("/proc")
		if err != nil {
			yield(Process{}, err)
			return
		}
		defer dir.Close()
		names, err := dir.Readdirnames(-1)
		if err != nil {
			yield(Process{}, err)
			return
		}
		var pids []int
		for _, name := range names {
			if pid, err := strconv.Atoi(name); err == nil && pid > 0 {
				pids = append(pids, pid)
			}
		}
		slices.Sort(pids)
		var r reader
		for _, pid := range pids {
			p, err := r.process(pid)
			if errors.Is(err, ErrEnded) || errors.Is(err, errKernel) {
				continue
			}
			if !yield(p, err) {
				return
			}
		}
	}
}

// hidden says whether /proc does not show this thread all processes
// (has_pid_permissions).
func hidden() error {
	b, err := os.ReadFile("/proc/thread-self/mountinfo")
	if err != nil {
		return err
	}
	options, gid, hides := hides(b)
	if !hides {
		return nil
	}
	held, err := caps.Effective()
	if err != nil {
		return err
	}
	groups, err := os.Getgroups()
	if err != nil {
		return err
	}
	if held.Has(caps.SYS_PTRACE) || gid != 0 && (os.Getegid() == int(gid) || slices.Contains(groups, int(gid))) {
		return nil
	}
	return fmt.Errorf("%w (%s)", ErrHidden, options)
}

// errKernel is of a thread of the kernel's.
var errKernel = errors.New("a thread of the kernel")

func (r *reader) process(pid int) (Process, error) {
	if pid <= 0 {
		return Process{}, fmt.Errorf("process %d: %w", pid, ErrEnded)
	}
	dir, err := unix.Open("/proc/"+strconv.Itoa(pid), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil && err != unix.ENOENT {
		return Process{}, &os.PathError{Op: "open", Path: "/proc/" + strconv.Itoa(pid), Err: err}
	}
	if err == nil {
		defer unix.Close(dir)
		// Thread-self and not self: it is there even where the first thread has ended.
		f := files{fmt.Sprintf("/proc/thread-self/fd/%d", dir), pid}
		status, err := f.read("status")
		switch {
		case err == nil && ended(status):
			return Process{}, fmt.Errorf("process %d: %w", pid, ErrEnded)
		case err == nil && isKernel(status):
			return Process{}, fmt.Errorf("process %d: %w", pid, errKernel)
		case err == nil:
			return r.steady(f)
		case !gone(err):
			return f.closed(reason(err)), nil
		}
	}
	// It is not there, or hidden as if it were not.
	if err := unix.Kill(pid, 0); err == unix.ESRCH {
		return Process{}, fmt.Errorf("process %d: %w", pid, ErrEnded)
	}
	return files{"", pid}.closed("/proc hides it"), nil
}

// closed is a process of which nothing could be read.
func (f files) closed(why string) Process {
	p := Process{PID: f.pid, AsRoot: asRoot()}
	source := "/proc/" + strconv.Itoa(f.pid)
	p.Threads = machine.Fact[map[int]Thread]{Source: source, Reason: why}
	p.UserNS = machine.Fact[UserNS]{Source: source, Reason: why}
	p.Listens = machine.Fact[[]caps.Listen]{Source: source, Reason: why}
	p.Path = machine.Fact[string]{Source: source, Reason: why}
	p.Exe.Caps = machine.Fact[caps.File]{Source: source, Reason: why}
	p.Exe.Stat = machine.Fact[machine.Stat]{Source: source, Reason: why}
	p.Doors = machine.Fact[[]Door]{Source: source, Reason: why}
	return p
}

// steady reads until the program is the same before and after.
func (r *reader) steady(f files) (Process, error) {
	for range tries {
		before := f.identity()
		p := r.once(f)
		status, err := f.read("status")
		if gone(err) || err == nil && ended(status) {
			return Process{}, fmt.Errorf("process %d: %w", f.pid, ErrEnded)
		}
		if f.identity() == before {
			return p, nil
		}
	}
	return f.closed("it executes one program after the other"), nil
}

// identity is the file that runs, or why that is not known.
func (f files) identity() string {
	var st unix.Stat_t
	if err := unix.Stat(f.path("exe"), &st); err != nil {
		return reason(err)
	}
	return fmt.Sprint(st.Dev, st.Ino)
}

func (r *reader) once(f files) Process {
	p := Process{PID: f.pid, AsRoot: asRoot()}
	p.Name = fact(f.source("comm"), func() (string, error) {
		b, err := f.read("comm")
		return strings.TrimSuffix(string(b), "\n"), err
	})
	p.Threads = fact(f.source("task"), f.threads)
	p.UserNS = fact(f.source("ns/user"), f.userNS)
	p.UIDMap = fact(f.source("uid_map"), func() (string, error) {
		b, err := f.read("uid_map")
		return uidMap(b), err
	})
	r.sockets(f, &p)
	f.program(&p)
	root, err := unix.Open(f.path("root"), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err == nil {
		defer unix.Close(root)
	}
	p.Doors = fact(f.source("root"), func() ([]Door, error) {
		if err != nil {
			return nil, err
		}
		return readDoors(root)
	})
	f.way(root, err, &p)
	p.Securebits = machine.Fact[caps.Securebits]{State: machine.Absent, Reason: "not in /proc"}
	if f.pid == os.Getpid() {
		p.Securebits = fact("prctl PR_GET_SECUREBITS", func() (caps.Securebits, error) {
			s, err := caps.Self()
			return s.Securebits, err
		})
	}
	p.Unit = fact(f.source("cgroup"), f.unit)
	if u, ok := p.Unit.Is(); ok && u.Name == "" {
		p.Unit = p.Unit.None()
	}
	return p
}

// asRoot says whether this process is root of the machine.
func asRoot() bool {
	b, err := os.ReadFile("/proc/thread-self/uid_map")
	return err == nil && os.Geteuid() == 0 && uidMap(b) == machine.WholeMap
}

// fact reads one.
func fact[T any](source string, read func() (T, error)) machine.Fact[T] {
	v, err := read()
	f := machine.Fact[T]{Source: source}
	switch {
	case err == nil:
		f.Value, f.State = v, machine.Known
	case errors.Is(err, unix.ENODATA), errors.Is(err, unix.EOPNOTSUPP):
		f.State, f.Reason = machine.Absent, reason(err)
	default:
		f.Reason = reason(err)
	}
	return f
}

func reason(err error) string {
	var errno unix.Errno
	if errors.As(err, &errno) {
		if errno == unix.EOPNOTSUPP {
			return "EOPNOTSUPP"
		}
		if name := unix.ErrnoName(errno); name != "" {
			return name
		}
	}
	return err.Error()
}

func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) }

// files are those of a process in /proc, below a descriptor of its folder.
type files struct {
	dir string
	pid int
}

func (f files) path(name string) string   { return f.dir + "/" + name }
func (f files) source(name string) string { return fmt.Sprintf("/proc/%d/%s", f.pid, name) }

func (f files) read(name string) ([]byte, error) {
	file, err := os.Open(f.path(name))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, limit+1))
	if len(b) > limit {
		err = fmt.Errorf("longer than %d bytes", limit)
	}
	return b, err
}

// Open makes of f a /proc with one process, for package caps.
func (f files) Open(name string) (fs.File, error) {
	return os.Open(f.path(strings.TrimPrefix(name, strconv.Itoa(f.pid)+"/")))
}

// noting keeps what is read by it, so that one text says all of a thread.
type noting struct {
	files
	texts map[int][]byte
}

func (n noting) ReadFile(name string) ([]byte, error) {
	b, err := n.read(strings.TrimPrefix(name, strconv.Itoa(n.pid)+"/"))
	if tid, e := strconv.Atoi(path.Base(path.Dir(name))); e == nil && err == nil {
		n.texts[tid] = b
	}
	return b, err
}

// threads reads every thread. Where they differ it reads again: the process may be
// about to change all of them.
func (f files) threads() (map[int]Thread, error) {
	var all map[int]Thread
	for range tries {
		before := all
		var err error
		if all, err = f.threadsOnce(); err != nil {
			return nil, err
		}
		if equal(all) || maps.Equal(all, before) {
			break
		}
	}
	return all, nil
}

// equal says whether all threads are alike.
func equal(all map[int]Thread) bool {
	different := map[Thread]bool{}
	for _, t := range all {
		different[t] = true
	}
	return len(different) == 1
}

func (f files) threadsOnce() (map[int]Thread, error) {
	n := noting{f, map[int][]byte{}}
	states, err := caps.ReadThreads(n, f.pid)
	if err != nil {
		return nil, err
	}
	all := map[int]Thread{}
	for tid := range states {
		if all[tid], err = ParseThread(n.texts[tid]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// userNS asks where the namespace lies: its parent is shown to those alone that
// live above it (ns_get_owner).
func (f files) userNS() (UserNS, error) {
	fd, err := unix.Open(f.path("ns/user"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return UserNS{}, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return UserNS{}, err
	}
	ns := UserNS{Name: fmt.Sprintf("user:[%d]", st.Ino)}
	parent, err := unix.IoctlRetInt(fd, unix.NS_GET_PARENT)
	switch {
	case err == unix.EPERM: // ours, or one above ours
		return ns, nil
	case err != nil:
		return UserNS{}, err
	}
	unix.Close(parent)
	ns.Below = true
	return ns, nil
}

// program reads which file runs and what lies at its path.
func (f files) program(p *Process) {
	link, err := os.Readlink(f.path("exe"))
	p.Path = fact(f.source("exe"), func() (string, error) { return link, err })
	p.Deleted = fact(f.source("exe"), func() (bool, error) { return false, err })
	p.Exe.Stat = fact(f.source("exe"), func() (machine.Stat, error) {
		var st unix.Stat_t
		err := unix.Stat(f.path("exe"), &st)
		return machine.Stat{Mode: st.Mode, UID: st.Uid, GID: st.Gid, Dev: uint64(st.Dev), Ino: st.Ino}, err
	})
	p.Exe.Caps = fact("getxattr "+f.source("exe"), func() (caps.File, error) {
		var b [64]byte
		n, err := unix.Getxattr(f.path("exe"), "security.capability", b[:])
		if err != nil {
			return caps.File{}, err
		}
		return caps.DecodeFile(b[:n])
	})
	if err != nil {
		return
	}
	if name, cut := strings.CutSuffix(link, " (deleted)"); cut {
		p.Path, p.Deleted = p.Path.Now(name), p.Deleted.Now(true)
		if rest, ok := strings.CutPrefix(name, "/memfd:"); ok {
			p.Path = p.Path.Now("memfd:" + rest)
		}
	}
	if !path.IsAbs(link) {
		p.Path = machine.Fact[string]{Source: p.Path.Source, Reason: "it lies outside the reader's folders"}
	}
}

// way looks at what lies at the program's path, below the root folder of the
// process; or else below ours, since the link of a process that was put into
// another root folder (chroot(2)) is read from here. rootErr says why there is no
// root.
func (f files) way(root int, rootErr error, p *Process) {
	name, ok := p.Path.Is()
	if !ok || rootErr != nil {
		p.Same, p.Way = machine.Fact[bool]{Source: f.source("root"), Reason: p.Path.Reason}, machine.Fact[[]Place]{Source: f.source("root"), Reason: p.Path.Reason}
		if rootErr != nil {
			p.Same.Reason, p.Way.Reason = reason(rootErr), reason(rootErr)
		}
		return
	}
	below := root
	find := func(name string) {
		p.Same = fact(f.source("exe"), func() (bool, error) {
			there, err := same(root, name, p.Exe.Stat)
			if there || err != nil && err != unix.ENODATA {
				return there, err
			}
			ours, errOurs := unix.Open("/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
			if errOurs != nil {
				return false, errOurs
			}
			defer unix.Close(ours)
			if in, _ := same(ours, name, p.Exe.Stat); in { // any other file there is another matter
				below = unix.AT_FDCWD
				return true, nil
			}
			return there, err
		})
	}
	if p.Deleted.Value {
		find(name + " (deleted)") // it may be called so
		if there, ok := p.Same.Is(); !ok || !there {
			find(name) // what took its place
			p.Way = machine.Fact[[]Place]{State: machine.Absent}
			return
		}
		name += " (deleted)"
		p.Path, p.Deleted = p.Path.Now(name), p.Deleted.Now(false)
	} else if find(name); p.Same.State != machine.Unreadable && !p.Same.Value {
		p.Way = machine.Fact[[]Place]{State: machine.Absent} // of another file
		return
	}
	p.Way = fact(f.source("root"), func() ([]Place, error) {
		if below == unix.AT_FDCWD {
			return walk("/", unix.AT_FDCWD, name)
		}
		return walk(".", root, name)
	})
}

// walk looks at every folder on the way to a file, a descriptor at a time.
func walk(from string, root int, name string) ([]Place, error) {
	at, err := unix.Openat(root, from, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer func() { unix.Close(at) }()
	place, err := look(at, "/")
	if err != nil {
		return nil, err
	}
	way := []Place{place}
	elements := strings.Split(strings.TrimPrefix(name, "/"), "/")
	for i, e := range elements {
		next, err := unix.Openat(at, e, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, err
		}
		unix.Close(at)
		at = next
		place, err := look(at, "/"+strings.Join(elements[:i+1], "/"))
		if err != nil {
			return nil, err
		}
		way = append(way, place)
	}
	return way, nil
}

func look(fd int, name string) (Place, error) {
	var st unix.Stat_t
	var mount unix.Statfs_t
	if err := unix.Fstat(fd, &st); err != nil {
		return Place{}, err
	}
	if err := unix.Fstatfs(fd, &mount); err != nil {
		return Place{}, err
	}
	return Place{Path: name, Mode: st.Mode, UID: st.Uid, GID: st.Gid, ReadOnly: mount.Flags&unix.ST_RDONLY != 0}, nil
}

// same says whether the file at a path is the one that runs.
func same(root int, name string, exe machine.Fact[machine.Stat]) (bool, error) {
	running, ok := exe.Is()
	if !ok {
		return false, errors.New(exe.Reason)
	}
	fd, err := open(root, name)
	if gone(err) || err == unix.ENOTDIR {
		return false, unix.ENODATA // nothing is there
	}
	if err != nil {
		return false, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	err = unix.Fstat(fd, &st)
	return uint64(st.Dev) == running.Dev && st.Ino == running.Ino, err
}

// open finds a file below root as a process with that root does.
func open(root int, name string) (int, error) {
	return unix.Openat2(root, strings.TrimPrefix(name, "/"), &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS})
}

// readDoors looks for the files that amount to root below root.
func readDoors(root int) ([]Door, error) {
	wanted := slices.Clone(doors)
	disks, err := disks(root)
	if err != nil {
		return nil, err
	}
	all := []Door{}
	for _, d := range append(wanted, disks...) {
		fd, err := open(root, d.Path)
		if gone(err) || err == unix.ENOTDIR {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.Path, err)
		}
		var st unix.Stat_t
		err = unix.Fstat(fd, &st)
		unix.Close(fd)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.Path, err)
		}
		if isDisk(path.Base(d.Path)) && path.Dir(d.Path) == "/dev" && st.Mode&unix.S_IFMT != unix.S_IFBLK {
			continue
		}
		d.Mode, d.UID, d.GID = st.Mode, st.Uid, st.Gid
		all = append(all, d)
	}
	return all, nil
}

// disks names the disks in /dev.
func disks(root int) ([]Door, error) {
	fd, err := unix.Openat2(root, "dev", &unix.OpenHow{Flags: unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS})
	if gone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("/dev: %w", err)
	}
	dir := os.NewFile(uintptr(fd), "/dev")
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var all []Door
	for _, name := range names {
		if isDisk(name) {
			all = append(all, Door{Path: "/dev/" + name, Need: 4, Root: true, Allows: diskAllows})
		}
	}
	return all, nil
}

// unit is the service whose cgroup the process is in, unless it is in a pid
// namespace of its own: a container, which its unit does not start.
func (f files) unit() (machine.Unit, error) {
	b, err := f.read("cgroup")
	if err != nil {
		return machine.Unit{}, err
	}
	theirs, err := os.Readlink(f.path("ns/pid"))
	if err != nil {
		return machine.Unit{}, err
	}
	ours, err := os.Readlink("/proc/thread-self/ns/pid")
	if err != nil {
		return machine.Unit{}, err
	}
	if _, err := os.Stat("/run/systemd/system"); err != nil || theirs != ours {
		return machine.Unit{}, unix.ENODATA
	}
	return machine.ParseUnit(string(b))
}

// sockets finds those of the process among those of its network namespace.
func (r *reader) sockets(f files, p *Process) {
	p.Listens = fact(f.source("fd"), func() ([]caps.Listen, error) {
		inodes, err := f.inodes()
		if err != nil {
			return nil, err
		}
		ns, err := os.Readlink(f.path("ns/net"))
		if err != nil {
			return nil, err
		}
		p.PortStart = r.start(f, ns)
		if len(inodes) == 0 {
			return nil, nil
		}
		table := r.table(f, ns)
		if table.State != machine.Known {
			return nil, errors.New(table.Reason)
		}
		var list []caps.Listen
		for _, inode := range inodes {
			if l, ok := table.Value[inode]; ok && !slices.Contains(list, l) {
				list = append(list, l)
			}
		}
		slices.SortFunc(list, func(a, b caps.Listen) int {
			if a.Addr.Port() != b.Addr.Port() {
				return int(a.Addr.Port()) - int(b.Addr.Port())
			}
			return strings.Compare(a.Network+a.Addr.String(), b.Network+b.Addr.String())
		})
		return list, nil
	})
}

func (f files) inodes() ([]uint64, error) {
	entries, err := os.ReadDir(f.path("fd"))
	if err != nil {
		return nil, err
	}
	var all []uint64
	for _, e := range entries {
		to, err := os.Readlink(f.path("fd/" + e.Name()))
		if gone(err) {
			continue // closed meanwhile
		}
		if err != nil {
			return nil, err
		}
		if rest, ok := strings.CutPrefix(to, "socket:["); ok {
			inode, err := strconv.ParseUint(strings.TrimSuffix(rest, "]"), 10, 64)
			if err != nil {
				return nil, fmt.Errorf("%q is not a socket", to)
			}
			all = append(all, inode)
		}
	}
	return all, nil
}

// table reads the sockets of a network namespace, once.
func (r *reader) table(f files, ns string) machine.Fact[map[uint64]caps.Listen] {
	if known, ok := r.tables[ns]; ok {
		return known
	}
	t := fact(f.source("net"), func() (map[uint64]caps.Listen, error) {
		all := map[uint64]caps.Listen{}
		for _, name := range []string{"tcp", "tcp6", "udp", "udp6"} {
			b, err := f.read("net/" + name)
			if gone(err) && strings.HasSuffix(name, "6") {
				continue // no IPv6
			}
			if err != nil {
				return nil, err
			}
			some, err := caps.ParseListens(b, name)
			if err != nil {
				return nil, err
			}
			for inode, l := range some {
				all[inode] = l
			}
		}
		return all, nil
	})
	if r.tables == nil {
		r.tables = map[string]machine.Fact[map[uint64]caps.Listen]{}
	}
	r.tables[ns] = t
	return t
}

// start reads the threshold of a network namespace, once: /proc/sys shows that
// of the thread that reads, so one enters the namespace and ends.
func (r *reader) start(f files, ns string) machine.Fact[int] {
	if known, ok := r.starts[ns]; ok {
		return known
	}
	const sysctl = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
	s := fact(sysctl, func() (int, error) {
		if ours, err := os.Readlink("/proc/thread-self/ns/net"); err != nil || ours == ns {
			return readStart(sysctl)
		}
		fd, err := unix.Open(f.path("ns/net"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return 0, err
		}
		defer unix.Close(fd)
		var n int
		onThread(func() {
			if err = os.NewSyscallError("setns", unix.Setns(fd, unix.CLONE_NEWNET)); err == nil {
				n, err = readStart(sysctl)
			}
		})
		return n, err
	})
	if r.starts == nil {
		r.starts = map[string]machine.Fact[int]{}
	}
	r.starts[ns] = s
	return s
}

func readStart(sysctl string) (int, error) {
	b, err := os.ReadFile(sysctl)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(string(bytes.TrimSpace(b)), 10, 17)
	return int(n), err
}

// onThread runs f on a thread of its own, which ends with what f changed in it. It
// is never the first one, which would stay.
func onThread(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			onThread(f)
			runtime.UnlockOSThread()
			return
		}
		f()
	}()
	<-done
}
