package live

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/began"
	"github.com/lowport/lowport/internal/dropped"
	"github.com/lowport/lowport/internal/facts"
	"golang.org/x/sys/unix"
)

// limit bounds what is read of one file, in bytes: the mountinfo of 10,000
// mounts has about 2 MB.
const limit = 16 << 20

// Read reads all evidence of this machine and the calling thread. Sockets are
// those that hold one of the ports; none are looked for without any, or for 0.
// It needs no privilege, starts no program and changes nothing.
func Read(ports ...int) facts.Record {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	r := reading{}
	for _, name := range facts.Items {
		switch path := strings.TrimPrefix(facts.Source(name), "/"); {
		case path != name || !strings.HasPrefix(facts.Source(name), "/"): // no file
		case path == "proc/self/exe":
			r.add(name, readExe)
		case strings.HasPrefix(path, "proc/self/ns/"):
			r.add(name, func() ([]byte, error) { return readLink("/" + path) })
		default:
			r.add(name, func() ([]byte, error) { return readPath("/" + path) })
		}
	}
	if facts.Record(r).Lacks("proc/thread-self/status") {
		r.add(facts.StatusByCalls, statusByCalls)
	}
	r.add("prctl PR_GET_SECUREBITS", func() ([]byte, error) {
		bits, err := unix.PrctlRetInt(unix.PR_GET_SECUREBITS, 0, 0, 0, 0)
		return fmt.Appendln(nil, bits), err
	})
	r.add("prctl PR_GET_DUMPABLE", dumpable)
	r.add("AT_SECURE", secure)
	r.add("at init", func() ([]byte, error) {
		s, ok := began.Noted()
		if !ok {
			return nil, errors.New("capget failed then")
		}
		return fmt.Appendln(nil, s.Inheritable.Hex(), s.Permitted.Hex(), s.Effective.Hex(), map[bool]int{true: 1}[s.NoNewPrivs]), nil
	})
	r.add("capget", func() ([]byte, error) {
		s, err := caps.Self()
		return []byte(s.Permitted.Hex() + "\n"), err
	})
	r.add("caps/drop", func() ([]byte, error) {
		had, takes := dropped.Noted()
		return fmt.Appendln(nil, had.Hex(), takes.Hex()), nil
	})
	r.add("uname", func() ([]byte, error) {
		var name unix.Utsname
		err := unix.Uname(&name)
		return fmt.Appendln(nil, unix.ByteSliceToString(name.Release[:])), err
	})
	r.add("no_file_caps", func() ([]byte, error) {
		line, err := readPath("/proc/cmdline")
		if facts.NoFileCaps(string(line)) {
			return []byte("1\n"), err
		}
		return []byte("0\n"), err
	})
	r.add("threads", func() ([]byte, error) {
		all, err := caps.Threads(os.Getpid())
		return facts.FormatThreads(all), err
	})
	r.add("ancestor status", ancestor)
	r.add("operator", operator)
	r.add("parent status", func() ([]byte, error) { return statusOf(r, "PPid") })
	r.add("tracer status", func() ([]byte, error) { return statusOf(r, "TracerPid") })
	r.add("folders shared", sharesFolders)
	r.add("exe changed since", changedSince)
	r.image("exe", "/proc/self/exe")
	if exe, err := facts.ParsePath(r["proc/self/exe"].Data); err == nil {
		r.image("path", exe)
		r.danger(exe)
		r.moved(exe)
		r.mounts("/proc/self/exe", exe)
	} else {
		r.add("mount point", func() ([]byte, error) { return mountPoint("/proc/self/exe") })
	}
	r.add("ioctl NS_GET_USERNS", netOwner)
	r.add("network apart", netApart)
	r.add("network namespace name", netName)
	r.add("environ", func() ([]byte, error) {
		var b []byte
		for _, mark := range facts.EnvMarks {
			name, want, hasValue := strings.Cut(mark, "=")
			if has := os.Getenv(name); has != "" && (!hasValue || has == want) {
				b = fmt.Appendln(b, mark)
			}
		}
		return b, nil
	})
	r.add("run/systemd/transient", func() ([]byte, error) { return transient(facts.Record(r)) })
	r.add("args", func() ([]byte, error) { return []byte(strings.Join(os.Args, "\x00") + "\x00"), nil })
	r.add("cwd", func() ([]byte, error) {
		wd, err := os.Getwd()
		return []byte(wd), err
	})
	r.add("cwd statfs", func() ([]byte, error) { return statfs(".") })
	r.add("main package", func() ([]byte, error) {
		info, ok := debug.ReadBuildInfo()
		if !ok {
			return nil, errors.New("built without module support")
		}
		return []byte(info.Path + "\n"), nil
	})
	r.add("user", userName)
	r.add("loader", loader)
	if len(ports) > 0 && ports[0] > 0 {
		r.add("sockets", func() ([]byte, error) {
			all := []facts.Socket{}
			for _, port := range ports {
				socks, source, err := sockets(port)
				r["sockets from"] = facts.Item{Data: []byte(source + "\n")}
				if err != nil {
					return nil, err
				}
				all = append(all, socks...)
			}
			return line(all)
		})
		r.add("probes", func() ([]byte, error) { return line(probes()) })
	}
	r.add("addresses", func() ([]byte, error) {
		addrs, err := addresses()
		if err != nil {
			return nil, err
		}
		return line(addrs)
	})
	r.add("tentative", func() ([]byte, error) {
		_, tentative, err := inet6Addresses()
		if err != nil {
			return nil, err
		}
		return line(append([]netip.Addr{}, tentative...))
	})
	return facts.Record(r)
}

// A reading is a record that is being made.
type reading facts.Record

// add reads one item.
func (r reading) add(name string, read func() ([]byte, error)) {
	data, err := read()
	if err != nil {
		r[name] = facts.Item{Err: Reason(err)}
		return
	}
	r[name] = facts.Item{Data: data}
}

// Reason names an error as a record keeps it: the errno's name, or one line.
func Reason(err error) string {
	var errno unix.Errno
	if errors.Is(err, caps.ErrNoCaps) {
		errno = unix.ENODATA
	}
	if errno != 0 || errors.As(err, &errno) {
		if errno == unix.EOPNOTSUPP {
			return "EOPNOTSUPP" // the same number as ENOTSUP
		}
		if name := unix.ErrnoName(errno); name != "" {
			return name
		}
	}
	return strings.Map(func(c rune) rune {
		if !strconv.IsPrint(c) {
			return '?'
		}
		return c
	}, err.Error())
}

// userName looks the effective uid up. That may ask a directory service over
// the network, which is not waited for.
func userName() ([]byte, error) {
	if err := spare(); err != nil {
		return nil, err
	}
	type answer struct {
		user *user.User
		err  error
	}
	found := make(chan answer, 1)
	go func() {
		u, err := user.LookupId(strconv.Itoa(os.Geteuid()))
		found <- answer{u, err}
	}()
	select {
	case a := <-found:
		if a.err != nil {
			return nil, a.err
		}
		return []byte(a.user.Username + "\n"), nil
	case <-time.After(time.Second):
		return nil, errors.New("the user database did not answer in time")
	}
}

// spare says whether descriptors are left: the Go runtime ends a process that
// has none for its first timer.
func spare() error {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return err
	}
	return errors.Join(unix.Close(pipe[0]), unix.Close(pipe[1]))
}

// statusOf reads the status of the process that a line of our own names; ENODATA says that
// there is none.
func statusOf(r reading, line string) ([]byte, error) {
	pid, err := facts.StatusInt(line, math.MaxInt32)(r["proc/thread-self/status"].Data)
	if err != nil {
		return nil, err
	}
	if pid == 0 {
		return nil, unix.ENODATA
	}
	return readPath(fmt.Sprintf("/proc/%d/status", pid))
}

// ancestor reads the status of the nearest ancestor that is another user: what
// changed the user, or its parent. ENODATA says that there is none here.
func ancestor() ([]byte, error) {
	for pid := os.Getppid(); pid > 0; {
		b, err := readPath(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return nil, fmt.Errorf("process %d: %s", pid, Reason(err))
		}
		ids, err := facts.ParseIDs(b)
		if err != nil || ids.UID != uint32(os.Getuid()) {
			return b, err
		}
		if pid, err = facts.StatusInt("PPid", math.MaxInt32)(b); err != nil {
			return nil, err
		}
	}
	return nil, unix.ENODATA
}

// transient says whether systemd-run(1) made the unit of the cgroup: ENOENT if not. A
// root of its own does not show that, but for the name.
func transient(r facts.Record) ([]byte, error) {
	u, err := facts.ParseUnit(string(r["proc/self/cgroup"].Data))
	if err != nil || u.Name == "" {
		return nil, unix.ENODATA
	}
	if facts.OwnRoot(r) && isRunName(u.Name) {
		return nil, nil
	}
	folder := "/run/systemd/transient"
	if u.User {
		folder = fmt.Sprintf("/run/user/%d/systemd/transient", os.Getuid())
	}
	return nil, unix.Access(filepath.Join(folder, u.Name), unix.F_OK)
}

// isRunName reports whether systemd-run(1) named a unit, which it does unless it is told a
// name: by its D-Bus connection (uN), by its process (pN-iN), or at random.
func isRunName(unit string) bool {
	id, isService := strings.CutSuffix(unit, ".service")
	id, isRun := strings.CutPrefix(id, "run-")
	if !isService || !isRun || id == "" {
		return false
	}
	isNumber := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	switch rest := id[1:]; id[0] {
	case 'u':
		return isNumber(rest)
	case 'p':
		process, invocation, ok := strings.Cut(rest, "-i")
		return ok && isNumber(process) && isNumber(invocation)
	case 'r':
		return len(rest) == 32 && strings.Trim(rest, "0123456789abcdef") == ""
	}
	return false
}

func line(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	return append(b, '\n'), err
}

// readPath reads a file of /proc or /sys. A directory that exists reads as
// empty: only its presence counts.
func readPath(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if errors.Is(err, unix.EISDIR) {
		return nil, nil
	}
	if len(b) > limit {
		return nil, fmt.Errorf("longer than %d bytes", limit)
	}
	return b, err
}

func readLink(path string) ([]byte, error) {
	s, err := os.Readlink(path)
	return []byte(s), err
}

// readExe reads the name of the running file. The kernel adds " (deleted)" to
// that of a removed one; a file that is named so itself cannot be told by it.
func readExe() ([]byte, error) {
	const exe = "/proc/self/exe"
	link, err := readLink(exe)
	if err != nil || !strings.HasSuffix(string(link), facts.DeletedMark) {
		return link, err
	}
	running, err := os.Stat(exe)
	if err != nil {
		return nil, err
	}
	if named, err := os.Stat(string(link)); err == nil && os.SameFile(running, named) {
		return nil, errors.New(endsInDeleted)
	}
	return link, nil
}

const endsInDeleted = "the name of the file itself ends in" + facts.DeletedMark

// image reads what execve would read of the file at path.
func (r reading) image(which, path string) {
	r.add(which+" xattr", func() ([]byte, error) {
		var b [64]byte
		n, err := unix.Getxattr(path, "security.capability", b[:])
		if err != nil {
			return nil, err
		}
		return fmt.Appendln(nil, hex.EncodeToString(b[:n])), nil
	})
	r.add(which+" stat", func() ([]byte, error) { return stat(path) })
	r.add(which+" statfs", func() ([]byte, error) { return statfs(path) })
}

// danger asks what speaks against capabilities for the file at path.
func (r reading) danger(path string) {
	r.add("path danger", func() ([]byte, error) {
		d, err := caps.Dangers(path)
		return fmt.Appendln(nil, uint8(d)), err
	})
}

// moved reads where the file at path could be moved to.
func (r reading) moved(path string) {
	r.add("moved stat", func() ([]byte, error) { return stat(filepath.Join(facts.MovedDir, filepath.Base(path))) })
	r.add("moved statfs", func() ([]byte, error) { return statfs(facts.MovedDir) })
}

func stat(path string) ([]byte, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return nil, err
	}
	return line(statOf(st))
}

func statfs(path string) ([]byte, error) {
	var st unix.Statfs_t
	err := unix.Statfs(path, &st)
	return fmt.Appendf(nil, "%#x\n", st.Flags), err
}

// netOwner names the user namespace that owns our network namespace, in the
// form of /proc/PID/ns/user. It is EPERM where the owner is outside ours.
func netOwner() ([]byte, error) {
	fd, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("no answer: open: %s", Reason(err))
	}
	defer unix.Close(fd)
	// A filter that refuses ioctl answers EPERM too, and to every question.
	if _, err := unix.IoctlRetInt(fd, unix.NS_GET_NSTYPE); err != nil {
		return nil, fmt.Errorf("no answer: NS_GET_NSTYPE: %s", Reason(err))
	}
	owner, err := unix.IoctlRetInt(fd, unix.NS_GET_USERNS)
	if err != nil {
		return nil, err
	}
	defer unix.Close(owner)
	var st unix.Stat_t
	if err := unix.Fstat(owner, &st); err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "user:[%d]\n", st.Ino), nil
}

// Takes says whether a bind to port 0 of the address is let through, which takes
// no privilege: nil says that the address can be bound here, also by a route that
// no interface shows.
func Takes(a netip.Addr) error { return try(a, 0, unix.SOCK_DGRAM, false) }

// Excludes says whether a socket that does not listen excludes a TCP listener of
// an address: EADDRINUSE says that one does. The bind of a socket with
// SO_REUSEADDR is tried and undone. It is in nobody's way, since it does not
// listen. Any other error says that it cannot be told.
func Excludes(a netip.Addr, port int, only6 bool) error { return try(a, port, unix.SOCK_STREAM, only6) }

// try binds a socket to an address, the zero Addr for every one, and closes it.
func try(a netip.Addr, port, kind int, only6 bool) error {
	family, at := unix.AF_INET6, unix.Sockaddr(&unix.SockaddrInet6{Port: port})
	switch {
	case a.Is4():
		family, at = unix.AF_INET, &unix.SockaddrInet4{Addr: a.As4(), Port: port}
	case a.IsValid():
		to := &unix.SockaddrInet6{Addr: a.As16(), Port: port}
		if zone := a.Zone(); zone != "" {
			i, err := net.InterfaceByName(zone)
			if err != nil {
				return err
			}
			to.ZoneId = uint32(i.Index)
		}
		at = to
	}
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return err
	}
	if only := map[bool]int{true: 1}[only6]; family == unix.AF_INET6 {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only); err != nil {
			return err
		}
	}
	return unix.Bind(fd, at)
}

// addresses lists the unicast addresses of the interfaces that are up.
func addresses() ([]netip.Addr, error) {
	ifs, err := net.Interfaces()
	if err != nil { // AF_NETLINK is denied to many services
		all, errProc := procAddresses()
		if errProc != nil {
			return nil, err
		}
		return all, nil
	}
	all := []netip.Addr{}
	for _, i := range ifs {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			return nil, err
		}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok {
				ip, ok := netip.AddrFromSlice(n.IP)
				if !ok {
					return nil, fmt.Errorf("interface %s: address %v", i.Name, a)
				}
				all = append(all, ip.Unmap())
			}
		}
	}
	return all, nil
}

// procAddresses reads the same without a socket.
func procAddresses() ([]netip.Addr, error) {
	b, err := os.ReadFile("/proc/thread-self/net/fib_trie")
	if err != nil {
		return nil, err
	}
	all, err := facts.ParseFibTrie(b)
	if err != nil {
		return nil, err
	}
	v6, _, err := inet6Addresses()
	return append(all, v6...), err
}

// inet6Addresses reads all IPv6 addresses, and which of them are tentative.
func inet6Addresses() (all, tentative []netip.Addr, err error) {
	b, err := os.ReadFile("/proc/thread-self/net/if_inet6")
	if errors.Is(err, unix.ENOENT) {
		return nil, nil, nil // this kernel has no IPv6
	}
	if err != nil {
		return nil, nil, err
	}
	return facts.ParseIfInet6(b)
}
