package audit

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/thread"
)

// sockets finds those of the process among those of its network namespace, and of the
// reader's: a socket that systemd made stays in its own (PrivateNetwork= of a unit).
func (r *reader) sockets(f files, p *Process) {
	p.Listens = fact(f.source("fd"), func() ([]Listen, error) {
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
		ours, err := os.Readlink("/proc/thread-self/ns/net")
		if err != nil {
			return nil, err
		}
		table, reader := r.table(f, ns), r.table(files{"/proc/thread-self", os.Getpid()}, ours)
		if table.State != facts.Known || reader.State != facts.Known {
			return nil, errors.New(cmp.Or(table.Reason, reader.Reason))
		}
		var list []Listen
		for _, inode := range inodes {
			l, ok := table.Value[inode]
			if !ok {
				l, ok = reader.Value[inode]
			}
			if ok && !slices.Contains(list, l) {
				list = append(list, l)
			}
		}
		slices.SortFunc(list, func(a, b Listen) int {
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

// waits is the state of a socket to which others may come.
var waits = map[string]uint8{"tcp": facts.StateListen, "udp": facts.StateClose}

// table reads the sockets of a network namespace, once: by a process that is in it
// still when they are read, since all others in it are judged by them.
func (r *reader) table(f files, ns string) facts.Fact[map[uint64]Listen] {
	if known, ok := r.tables[ns]; ok {
		return known
	}
	t := fact(f.source("net"), func() (map[uint64]Listen, error) {
		all := map[uint64]Listen{}
		for _, name := range []string{"tcp", "tcp6", "udp", "udp6"} {
			b, err := f.read("net/" + name)
			if gone(err) && strings.HasSuffix(name, "6") {
				continue // no IPv6
			}
			if err != nil {
				return nil, err
			}
			for s, err := range facts.ProcSockets(b, name) {
				if err != nil {
					return nil, err
				}
				if network := strings.TrimSuffix(name, "6"); s.State == waits[network] {
					all[s.Inode] = Listen{network, s.Addr}
				}
			}
		}
		return all, nil
	})
	if now, err := os.Readlink(f.path("ns/net")); err != nil || now != ns {
		return facts.Fact[map[uint64]Listen]{Source: t.Source, Reason: "it left its network namespace meanwhile"}
	}
	if r.tables == nil {
		r.tables = map[string]facts.Fact[map[uint64]Listen]{}
	}
	r.tables[ns] = t
	return t
}

// start reads the threshold of a network namespace, once: /proc/sys shows that
// of the thread that reads, so one enters the namespace and ends.
func (r *reader) start(f files, ns string) facts.Fact[int] {
	if known, ok := r.starts[ns]; ok {
		return known
	}
	const sysctl = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
	s := fact(sysctl, func() (int, error) {
		if ours, err := os.Readlink("/proc/thread-self/ns/net"); err != nil {
			return 0, err
		} else if ours == ns {
			return readStart(sysctl)
		}
		fd, err := unix.Open(f.path("ns/net"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return 0, err
		}
		defer unix.Close(fd)
		if now, err := os.Readlink(fmt.Sprintf("/proc/thread-self/fd/%d", fd)); err != nil || now != ns {
			return 0, errors.New("it left its network namespace meanwhile")
		}
		var n int
		err = thread.Run(func() (err error) {
			if err = os.NewSyscallError("setns", unix.Setns(fd, unix.CLONE_NEWNET)); err == nil {
				n, err = readStart(sysctl)
			}
			return err
		})
		return n, err
	})
	if s.State != facts.Known {
		return s
	}
	if r.starts == nil {
		r.starts = map[string]facts.Fact[int]{}
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
