package live

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/began"
	"github.com/lowport/lowport/internal/dropped"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/task"
	"golang.org/x/sys/unix"
)

// Read reads all evidence about this machine and the calling thread. It looks for sockets on
// the ports, and for none if there are no ports or the first is 0. It needs no privilege,
// starts no program and changes nothing.
func Read(ports ...int) facts.Record {
	return read(scope{ports: ports, protocols: []string{"tcp", "udp"}, addresses: true})
}

// ReadFor reads what a report on these binds rests on; without any bind, what a report on
// capabilities rests on. It looks for sockets of the binds' protocols alone, and for
// addresses only if a bind names one.
func ReadFor(binds ...Bind) facts.Record { return read(scopeOf(binds)) }

// ReadHeld reads those of facts.HeldItems that are needed to tell that capabilities are effective
// on every thread and count. They do not suffice to say why not.
func ReadHeld() facts.Record {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	r := newReading()
	r.add("proc/thread-self/status", func() ([]byte, error) {
		return task.ReadFile("/proc/thread-self/status", make([]byte, 4096))
	})
	r.add("prctl PR_GET_SECUREBITS", securebits)
	r.add("capget", capget)
	r.add("threads", threads)
	r.add("proc/self/ns/user", func() ([]byte, error) { return readLink("/proc/self/ns/user") })
	if string(r.Record["proc/self/ns/user"].Data) != facts.InitialUserNS { // nothing is outside of that one
		r.add("ioctl NS_GET_USERNS", netOwner)
	}
	return r.Record
}

func read(s scope) facts.Record {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	r := newReading()
	for _, name := range facts.Items {
		switch path := strings.TrimPrefix(facts.Source(name), "/"); {
		case !s.addresses && slices.Contains(ofAddresses, name):
		case path != name || !strings.HasPrefix(facts.Source(name), "/"): // no file
		case path == "proc/self/exe":
			r.add(name, readExe)
		case strings.HasPrefix(path, "proc/self/ns/"):
			r.add(name, func() ([]byte, error) { return readLink("/" + path) })
		default:
			r.add(name, func() ([]byte, error) { return r.file("/" + path) })
		}
	}
	r.process()
	r.launcher()
	r.program()
	r.folders()
	r.unit()
	r.command()
	r.network(s)
	return r.Record
}

// ofAddresses are the sysctls that bear on which addresses can be bound.
var ofAddresses = []string{
	"proc/sys/net/ipv4/ip_nonlocal_bind", "proc/sys/net/ipv6/ip_nonlocal_bind", "proc/sys/net/ipv6/conf/lo/disable_ipv6",
}

// process reads what this process is and holds, and what kernel it runs on.
func (r reading) process() {
	if r.Lacks("proc/thread-self/status") {
		r.add(facts.StatusByCalls, statusByCalls)
	}
	r.add("prctl PR_GET_SECUREBITS", securebits)
	r.add("prctl PR_GET_DUMPABLE", dumpable)
	r.add("AT_SECURE", secure)
	r.add("at init", atInit)
	r.add("capget", capget)
	r.add("caps/drop", func() ([]byte, error) {
		had, takes := dropped.Noted()
		return fmt.Appendln(nil, had.Hex(), takes.Hex()), nil
	})
	r.add("threads", threads)
	r.kernel()
}

// kernel reads which kernel runs, and whether it was booted to ignore file capabilities.
func (r reading) kernel() {
	r.add("uname", func() ([]byte, error) {
		var name unix.Utsname
		err := unix.Uname(&name)
		return fmt.Appendln(nil, unix.ByteSliceToString(name.Release[:])), err
	})
	r.add("no_file_caps", func() ([]byte, error) {
		line, err := r.file("/proc/cmdline")
		if facts.NoFileCaps(string(line)) {
			return []byte("1\n"), err
		}
		return []byte("0\n"), err
	})
}

// launcher reads what started this process.
func (r reading) launcher() {
	r.add("ancestor status", func() ([]byte, error) {
		parent, err := r.parent()
		if err != nil {
			return nil, err
		}
		return r.ancestor(parent, uint32(os.Getuid()))
	})
	r.ancestors(r.lineage(0), "self")
	r.add("parent status", func() ([]byte, error) { return r.statusNamed("PPid") })
	r.add("tracer status", func() ([]byte, error) { return r.statusNamed("TracerPid") })
	r.add("environ", func() ([]byte, error) { return marks(os.Getenv), nil })
}

// folders asks who shares the folders of this process, if that counted at its execve: sharing
// keeps back what execve grants (cap_bprm_creds_from_file), so it does not count if execve could
// grant nothing. It comes behind program.
func (r reading) folders() {
	r.add("folders shared", func() ([]byte, error) {
		if r.gainsNothing() {
			return nil, errors.New("not asked: execve of this file grants nothing")
		}
		return sharesFolders()
	})
}

// gainsNothing reports whether it is known that execve granted this process nothing that its
// caller did not hold: its file has neither capabilities nor a set-ID bit, nor had them since
// the start, and no user id is that of root, nor was.
func (r reading) gainsNothing() bool {
	ids, errIDs := facts.ParseIDs(r.Record["proc/thread-self/status"].Data)
	stat, errStat := facts.ParseStat(r.Record["exe stat"].Data)
	plain := r.Record["exe xattr"].Err == "ENODATA" && !stat.Setid() && string(r.Record["exe changed since"].Data) == "false\n"
	sameUser := ids.UID != 0 && ids.EUID != 0 && string(r.Record["prctl PR_GET_DUMPABLE"].Data) == "1\n" // see commit_creds
	return errIDs == nil && errStat == nil && plain && sameUser
}

// ancestors reads what the ancestors of the process beside tell, which is named as in /proc.
func (r reading) ancestors(up lineage, beside string) {
	r.add("operator", func() ([]byte, error) { return r.findOperator(up, beside) })
	r.add("ancestors", func() ([]byte, error) {
		if up.err != nil {
			return nil, up.err
		}
		return line(up.line)
	})
	r.add("supervisor", func() ([]byte, error) { return r.supervisor(up) })
	r.add("sandbox", r.sandbox)
	r.add("tools", func() ([]byte, error) {
		all, err := tools()
		if err != nil {
			return nil, err
		}
		return line(all)
	})
}

// marks looks for the marks of launchers in an environment.
func marks(getenv func(name string) string) (found []byte) {
	for _, mark := range facts.EnvMarks {
		name, want, hasValue := strings.Cut(mark, "=")
		if has := getenv(name); has != "" && (!hasValue || has == want) {
			found = fmt.Appendln(found, mark)
		}
	}
	return found
}

// unit reads what the files of systemd say of the unit that runs this process. It comes behind
// program: whether these files are in sight depends on where the program's root is.
func (r reading) unit() {
	r.add("unit of invocation", func() ([]byte, error) { return unitOfInvocation(r.Record, os.Getenv("INVOCATION_ID")) })
	r.add("run/systemd/transient", func() ([]byte, error) { return transient(r.Record) })
	r.add("socket unit", func() ([]byte, error) { return socketUnit(r.Record) })
	r.add("unit filters", func() ([]byte, error) { return unitFilters(r.Record) })
	r.add("last drop-in", func() ([]byte, error) { return lastDropIn(r.Record) })
}

// program reads what this process runs, and what is at its path.
func (r reading) program() {
	r.add("exe changed since", func() ([]byte, error) { return r.changedSince("self") })
	r.image("exe", "/proc/self/exe")
	if r.Record["proc/self/exe"].Err == "ENOENT" {
		r.add(facts.Executed, executed)
	}
	exe, err := facts.ParsePath(r.Record[facts.NameOfProgram(r.Record)].Data)
	if err != nil {
		r.add("mount point", func() ([]byte, error) { return r.mountPoint("/proc/self/exe") })
		return
	}
	r.image("path", exe)
	r.danger(exe)
	r.owners("/", exe)
	r.attributes(exe)
	r.moved(exe)
	r.mounts(r.ownView("/proc/self/exe", exe))
}

// command reads how this process was called.
func (r reading) command() {
	r.add("args", r.args)
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
	name, groups, err := userOf()
	r.add("user", func() ([]byte, error) { return []byte(name + "\n"), err })
	r.add("user groups", func() ([]byte, error) {
		if err != nil || groups == nil {
			return nil, cmp.Or(err, errNoGroups)
		}
		return line(groups)
	})
	r.add("loader", loader)
}

// args returns the words with which /proc/self/exe was executed. A loader that was given the program,
// as ld.so(8), takes itself and its options away from what the program sees.
func (r reading) args() ([]byte, error) {
	seen := strings.Join(os.Args, "\x00") + "\x00"
	whole, err := r.file("/proc/self/cmdline")
	if err == nil && strings.HasSuffix(string(whole), "\x00"+seen) {
		return whole, nil
	}
	return []byte(seen), nil
}

// network reads what is in the network namespace.
func (r reading) network(s scope) {
	r.add("ioctl NS_GET_USERNS", netOwner)
	r.add("network apart", func() ([]byte, error) { return netApart("thread-self") })
	r.add("network namespace name", func() ([]byte, error) { return netName("thread-self") })
	if len(s.ports) > 0 && s.ports[0] > 0 {
		r.add("sockets", func() ([]byte, error) {
			all, source, err := sockets(s.ports, s.protocols)
			r.Record["sockets from"] = facts.Item{Data: []byte(source + "\n")}
			if err != nil {
				return nil, err
			}
			return line(all)
		})
		made := probesFor(s.protocols)
		r.add("probes", func() ([]byte, error) { return line(made) })
		r.add("probes at ports", func() ([]byte, error) {
			all, err := portProbes(made, s.ports)
			if err != nil {
				return nil, err
			}
			return line(all)
		})
	}
	if !s.addresses && !r.Lacks("network apart") {
		return
	}
	r.addresses()
}

// addresses reads the addresses of this thread's network namespace.
func (r reading) addresses() {
	all, tentative, special, err := addresses()
	each := func(v any, err error) func() ([]byte, error) {
		return func() ([]byte, error) {
			if err != nil {
				return nil, err
			}
			return line(v)
		}
	}
	r.add("addresses", each(all, err))
	r.add("tentative", each(tentative, err))
	if special == nil && err == nil {
		err = errors.New("netlink is denied")
	}
	r.add("special addresses", each(special, err))
}

func securebits() ([]byte, error) {
	bits, err := unix.PrctlRetInt(unix.PR_GET_SECUREBITS, 0, 0, 0, 0)
	return fmt.Appendln(nil, bits), err
}

// atInit writes what was noted of the first thread before the program's own code ran.
func atInit() ([]byte, error) {
	s, ok := began.Noted()
	if !ok {
		return nil, errors.New("capget failed then")
	}
	return fmt.Appendln(nil, s.Inheritable.Hex(), s.Permitted.Hex(), s.Effective.Hex(), map[bool]int{true: 1}[s.NoNewPrivs]), nil
}

// capget reads what the calling thread has permitted, as a security module shows it.
func capget() ([]byte, error) { return capgetOf(0) }

// capgetOf reads the same of the first thread of a process, by its id.
func capgetOf(pid int) ([]byte, error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3, Pid: int32(pid)}
	var sets [2]unix.CapUserData
	err := unix.Capget(&header, &sets[0])
	return fmt.Appendln(nil, caps.Set(uint64(sets[1].Permitted)<<32|uint64(sets[0].Permitted)).Hex()), err
}

// threads reads what every thread of this process holds.
func threads() ([]byte, error) {
	pid, err := self()
	if err != nil {
		return nil, err
	}
	all, err := caps.Threads(pid)
	return facts.FormatThreads(all), err
}

// Reason names an error as a record keeps it: by the name of its errno, else by its text in one
// line.
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

// line writes a value as one line of JSON.
func line(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	return append(b, '\n'), err
}
